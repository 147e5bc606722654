#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/ort_referee.hpp"

namespace coppice::zoo {
namespace {

class Runs : public testing::TestWithParam<Entry> {};

// Small images keep it short; the shapes at full size are the business of the room's own tests.
TEST_P(Runs, InOnnxRuntimeWithLiveOutputs) {
  COPPICE_NEEDS_REFEREE();
  const std::string path =
      (std::filesystem::path(testing::TempDir()) / ("coppice_zoo_" + std::string(GetParam().name) + ".onnx")).string();
  for (const bool lively : {false, true}) {
    formats::write_onnx(build(GetParam().name, 1, {.image_side = 64, .lively = lively}), path);
    test::RefereeOptions options;
    options.dim = 6;
    options.ranges["input_ids"] = {0, 1000};
    const auto runs = test::Referee::shared().run({path}, options);
    std::filesystem::remove(path);
    ASSERT_EQ(runs.size(), 1u);
    ASSERT_TRUE(runs[0].ok) << runs[0].error;
    ASSERT_EQ(runs[0].outputs.size(), 1u);
    EXPECT_TRUE(runs[0].outputs[0].finite);
    EXPECT_GT(runs[0].outputs[0].max_abs, 0.01);
    EXPECT_LT(runs[0].outputs[0].max_abs, 1e4);
  }
}

/// All but the large ones that have a smaller sibling.
std::vector<Entry> cheap_entries() {
  std::vector<Entry> out;
  for (const Entry& entry : entries())
    if (entry.name != "wide_resnet50_2" && entry.name != "vgg16_bn" && entry.name != "gpt2_small" &&
        entry.name != "llama_160m")
      out.push_back(entry);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Zoo, Runs, testing::ValuesIn(cheap_entries()),
                         [](const auto& entry) { return std::string(entry.param.name); });

}  // namespace
}  // namespace coppice::zoo
