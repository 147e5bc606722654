#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/prune.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/scratch.hpp"

// A model whose tensors lie in a side file is scored in passing and cut while it is written; the result must be the one
// of the same model in memory.
namespace coppice::test {
namespace {

using External = formats::WriteOptions::External;

graph::Model pruned(const std::string& path, bool soft, int steps) {
  pruning::PruneOptions options;
  options.select.ratio = 0.4;
  options.select.steps = steps;
  pruning::PruneResult result = pruning::prune(formats::read_onnx(path), options);
  return soft ? pruning::soften(result.prepared, result.removed) : std::move(result.model);
}

class SideFile : public testing::TestWithParam<const char*> {};

TEST_P(SideFile, PrunesToTheSameBytes) {
  const Scratch scratch;
  const graph::Model model = zoo::build(GetParam(), 3, {.image_side = 64});
  formats::write_onnx(model, scratch / "inner.onnx", {External::none});
  formats::write_onnx(model, scratch / "outer.onnx", {External::large});
  ASSERT_TRUE(std::filesystem::exists(scratch / "outer.onnx.data"));
  for (const bool soft : {false, true}) {
    for (const int steps : {1, 3}) {
      const graph::Model inner = pruned(scratch / "inner.onnx", soft, steps);
      const graph::Model outer = pruned(scratch / "outer.onnx", soft, steps);
      EXPECT_EQ(formats::write_onnx_bytes(inner), formats::write_onnx_bytes(outer));
      // Through the side file, and over the files that it was read from.
      formats::write_onnx(outer, scratch / "again.onnx");
      EXPECT_TRUE(std::filesystem::exists(scratch / "again.onnx.data"));
      EXPECT_EQ(formats::write_onnx_bytes(inner),
                formats::write_onnx_bytes(formats::read_onnx(scratch / "again.onnx")));
    }
  }
  const graph::Model outer = pruned(scratch / "outer.onnx", false, 1);
  const std::string expected = formats::write_onnx_bytes(outer);
  formats::write_onnx(outer, scratch / "outer.onnx");
  EXPECT_EQ(formats::write_onnx_bytes(formats::read_onnx(scratch / "outer.onnx")), expected);
}

// Complete when staged, in place when committed, gone otherwise.
TEST(StagedModel, ChangesNothingBeforeItIsCommitted) {
  const Scratch scratch;
  const graph::Model model = zoo::build("mlp");
  const std::string path = scratch / "staged.onnx";
  { const formats::StagedModel dropped(model, path, {External::large}); }
  EXPECT_TRUE(std::filesystem::is_empty(scratch / ""));
  formats::StagedModel staged(model, path, {External::large});
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".data"));
  staged.commit();
  EXPECT_EQ(formats::write_onnx_bytes(formats::read_onnx(path)), formats::write_onnx_bytes(model));
  EXPECT_EQ(formats::read_onnx(path).side_files, std::vector<std::string>{path + ".data"});
}

TEST(StagedModel, TellsOfTheBytesWritten) {
  struct Recorder : base::Progress {
    void begin(std::string_view phase, std::uint64_t total) override {
      EXPECT_EQ(phase, "write");
      whole = total;
    }
    void advance(std::uint64_t done) override {
      EXPECT_GE(done, last);
      EXPECT_LE(done, whole);
      last = done;
    }
    std::uint64_t whole = 0, last = 0;
  };
  const Scratch scratch;
  const graph::Model model = zoo::build("resnet18");
  const std::string path = scratch / "told.onnx";
  for (const External external : {External::none, External::large}) {
    Recorder recorder;
    formats::write_onnx(model, path, {.external = external, .progress = &recorder});
    const bool beside = external == External::large;
    EXPECT_EQ(recorder.whole,
              std::filesystem::file_size(path) + (beside ? std::filesystem::file_size(path + ".data") : 0));
    EXPECT_GT(recorder.last, recorder.whole * 9 / 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SideFile,
                         testing::Values("resnet18", "gpt2_tiny", "lstm_tagger", "shufflenet_v2_x1_0"));

}  // namespace
}  // namespace coppice::test
