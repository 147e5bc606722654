#include <filesystem>

#include <gtest/gtest.h>

#include "coppice/formats/safetensors.hpp"

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using formats::NamedTensor;
using Json = nlohmann::json;
using tensor::DType;
using tensor::Tensor;

/// 2:4 along the last axis, without its first two rows, and a bias without zeros.
std::vector<NamedTensor> tensors(const std::string& layer) {
  std::vector<double> values(16 * 32), bias(16, 1);
  for (std::size_t i = 64; i < values.size(); ++i) values[i] = i % 4 < 2 ? 0 : 2;
  return {{layer + ".weight", tensor::from_doubles(DType::bfloat16, {16, 32}, values)},
          {layer + ".bias", tensor::from_doubles(DType::float32, {16}, bias)}};
}

void write_shards(const Scratch& scratch) {
  formats::write_safetensors(tensors("model.layers.0.mlp"), scratch / "a.safetensors", {{{"format", "pt"}}});
  formats::write_safetensors(tensors("model.layers.1.mlp"), scratch / "b.safetensors");
  write_file(scratch / "model.safetensors.index.json",
             R"({"metadata":{"total_size":2176},"weight_map":{"model.layers.0.mlp.weight":"a.safetensors",
                "model.layers.0.mlp.bias":"a.safetensors","model.layers.1.mlp.weight":"b.safetensors",
                "model.layers.1.mlp.bias":"b.safetensors"}})");
}

TEST(InspectCheckpoint, CountsAndFindsPatterns) {
  const Scratch scratch;
  const std::string file = scratch / "some.name";
  formats::write_safetensors(tensors("fc"), file, {{{"format", "pt"}}});
  const Json report = run_json({"inspect", file});
  EXPECT_EQ(report["format"], "safetensors");
  EXPECT_EQ(report["params"], 528);
  EXPECT_EQ(report["zeros"], 32 * 2 + 14 * 16);
  EXPECT_EQ(report["bytes"], read_file(file).size());
  EXPECT_EQ(report["weight_bytes"], 1088);
  EXPECT_EQ(report["nonzero_weight_bytes"], 1088 - 2 * 288);
  EXPECT_EQ(report["shards"][0]["metadata"], Json({{"format", "pt"}}));
  EXPECT_EQ(report["tensors"][0],
            Json::parse(R"({"name":"fc.weight","file":"some.name","dtype":"BF16","shape":[16,32],"elements":512,
                            "bytes":1024,"zeros":288,"patterns":["2:4"],"zero_rows":2,"zero_columns":16})"));
  EXPECT_EQ(report["tensors"][1]["zero_rows"], nullptr);
  const Outcome text = run({"inspect", file});
  EXPECT_NE(text.out.find("metadata       format: pt\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("fc.weight  BF16  16x32         512  56.2 %\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("fc.weight            288  56.2 %  2:4         2       16\n"), std::string::npos) << text.out;
}

TEST(InspectCheckpoint, ReadsShardsByIndexAndFolder) {
  const Scratch scratch;
  write_shards(scratch);
  const Json report = run_json({"inspect", scratch / ""});
  EXPECT_EQ(report["shards"].size(), 2u);
  EXPECT_EQ(report["params"], 1056);
  EXPECT_EQ(report["tensors"][2]["file"], "b.safetensors");
  EXPECT_EQ(run_json({"inspect", scratch / "model.safetensors.index.json"}), report);
  const Json some = run_json({"inspect", scratch / "", "--tensors", "model.layers.1", "--tensors", "*.0.*.bias"});
  ASSERT_EQ(some["tensors"].size(), 3u);
  EXPECT_EQ(some["tensors"][0]["name"], "model.layers.0.mlp.bias");
  EXPECT_NE(run({"inspect", scratch / "", "--tensors", "*bias"}).out.find("tensors     2 of 4\n"), std::string::npos);
}

TEST(InspectCheckpoint, SaysWhatIsWrongInOneLine) {
  const Scratch scratch;
  write_shards(scratch);
  const auto expect = [](const std::vector<std::string>& arguments, int code, const std::string& says) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  };
  expect({"inspect", scratch / "", "--tensors", "layers"}, 1, "none of the 4 tensors matches \"layers\"");
  expect({"inspect", scratch / "", "--locks"}, 2, "--locks: expected an ONNX file");
  expect({"inspect", scratch / "", "--device", "cpu"}, 2, "--device: expected an ONNX file");
  expect({"inspect", zoo_file("mlp"), "--tensors", "fc1"}, 2, "--tensors: expected a checkpoint");
  const std::string bytes = read_file(scratch / "a.safetensors");
  write_file(scratch / "a.safetensors", bytes.substr(0, bytes.size() - 1));
  expect({"inspect", scratch / ""}, 1,
         "a.safetensors: expected a safetensors file: tensor \"model.layers.0.mlp.bias\"");
  std::filesystem::remove(scratch / "a.safetensors");
  expect({"inspect", scratch / ""}, 1, "index.json: the shard a.safetensors is missing");
  write_file(scratch / "c.safetensors", "no tensors");
  expect({"inspect", scratch / "c.safetensors"}, 1, "c.safetensors: expected a safetensors file: expected a header of");
}

}  // namespace
}  // namespace coppice::test
