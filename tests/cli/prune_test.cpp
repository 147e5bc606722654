#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;

/// Output channels of a layer, as `inspect` sees them.
std::int64_t channels(const Json& inspected, const std::string& layer) {
  for (const Json& row : inspected["layers"]) {
    if (row["name"] == layer) return row["shape"][1];
  }
  return -1;
}

TEST(Prune, JsonHoldsWhatItPromises) {
  const Scratch scratch;
  const std::string file = zoo_file("resnet18"), out = scratch / "out.onnx";
  const Json report = run_json({"prune", file, "-o", out, "--ratio", "30%"});
  EXPECT_EQ(report["params"]["before"], 11'689'512);
  EXPECT_EQ(report["params"]["after"], 5'820'556);
  EXPECT_GT(report["macs"]["before"], report["macs"]["after"]);
  EXPECT_EQ(report["bytes"]["before"], read_file(file).size());
  EXPECT_EQ(report["bytes"]["after"], read_file(out).size());
  EXPECT_GT(report["groups"], 0);
  EXPECT_EQ(report["inexact"], false);
  EXPECT_GT(report["reach"], 0.995);
  EXPECT_EQ(report["locks"]["graph_output"], 1000);
  EXPECT_EQ(report["output"], out);
  for (const char* phase : {"read", "couple", "score", "select", "cut", "check", "write"}) {
    ASSERT_TRUE(report["seconds"].contains(phase)) << phase;
    EXPECT_GE(report["seconds"][phase], 0.0) << phase;
  }
  const Json result = run_json({"inspect", out});
  EXPECT_EQ(result["params"], 5'820'556);
  EXPECT_EQ(result["macs"], report["macs"]["after"]);
  EXPECT_EQ(channels(result, "conv1"), 44);
}

TEST(Prune, TextShowsBeforeAndAfter) {
  const Outcome outcome = run({"prune", zoo_file("resnet18"), "--dry-run", "--ratio", "0.5"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("11,689,512"), std::string::npos);
  EXPECT_NE(outcome.out.find("3,055,880"), std::string::npos);
}

TEST(Prune, StepsAreListed) {
  const Json report = run_json({"prune", zoo_file("resnet18"), "--dry-run", "--ratio", "50", "--steps", "5"});
  EXPECT_EQ(report["steps"], Json::parse("[9481588, 7534380, 5820556, 4318898, 3055880]"));
  const Outcome text = run({"prune", zoo_file("resnet18"), "--dry-run", "--ratio", "50", "--steps", "5"});
  EXPECT_NE(text.out.find("4,318,898"), std::string::npos);
}

TEST(Prune, LayersHaveRatiosOfTheirOwn) {
  const Scratch scratch;
  const std::string out = scratch / "out.onnx";
  std::vector<std::string> arguments{"prune", zoo_file("resnet18"), "-o", out};
  const char* const ratios[] = {"20%", "40%", "60%", "80%"};
  for (int stage = 1; stage <= 4; ++stage) {
    for (const char* conv : {"conv1", "conv2"}) {
      arguments.push_back("--layer");
      arguments.push_back("layer" + std::to_string(stage) + ".0." + conv + "=" + ratios[stage - 1]);
    }
  }
  ASSERT_EQ(run(arguments).code, 0);
  const Json result = run_json({"inspect", out});
  EXPECT_EQ(channels(result, "layer1.0.conv1"), 51);
  EXPECT_EQ(channels(result, "layer2.0.conv1"), 76);
  EXPECT_EQ(channels(result, "layer3.0.conv1"), 102);
  EXPECT_EQ(channels(result, "layer4.0.conv1"), 102);
}

TEST(Prune, TargetsBoundWhatIsLeft) {
  const std::string file = zoo_file("resnet18");
  const Json macs = run_json({"prune", file, "--dry-run", "--target-macs", "50%"});
  EXPECT_LE(macs["macs"]["after"].get<double>(), 0.5 * macs["macs"]["before"].get<double>());
  EXPECT_GE(macs["macs"]["after"].get<double>(), 0.45 * macs["macs"]["before"].get<double>());
  const Json params = run_json({"prune", file, "--dry-run", "--target-params", "0.5", "--context", "global"});
  EXPECT_LE(params["params"]["after"].get<double>(), 0.5 * 11'689'512);
  EXPECT_GE(params["params"]["after"].get<double>(), 0.45 * 11'689'512);
}

TEST(Prune, APlanGivesTheSameBytes) {
  const Scratch scratch;
  const std::string file = zoo_file("resnet18"), plan = scratch / "plan.json";
  const std::string a = scratch / "a.onnx", b = scratch / "b.onnx", again = scratch / "again.json";
  ASSERT_EQ(run({"prune", file, "-o", a, "--ratio", "40%", "--plan-out", plan, "--threads", "1"}).code, 0);
  ASSERT_EQ(run({"prune", file, "-o", b, "--plan", plan, "--plan-out", again, "--threads", "3"}).code, 0);
  EXPECT_EQ(read_file(a), read_file(b));
  EXPECT_EQ(read_file(plan), read_file(again));
  EXPECT_NE(read_file(plan).find("40%"), std::string::npos);
}

TEST(Prune, APlanRemembersHowTheModelWasLookedAt) {
  const Scratch scratch;
  const std::string file = zoo_file("resnext50_32x4d"), plan = scratch / "groups.json";
  const std::string a = scratch / "groups.onnx", b = scratch / "replayed.onnx", other = scratch / "channels.onnx";
  ASSERT_EQ(run({"prune", file, "-o", a, "--ratio", "50%", "--grouped-conv", "groups", "--plan-out", plan}).code, 0);
  ASSERT_EQ(run({"prune", file, "-o", b, "--plan", plan}).code, 0);
  EXPECT_EQ(read_file(a), read_file(b));
  ASSERT_EQ(run({"prune", file, "-o", other, "--ratio", "50%"}).code, 0);
  EXPECT_NE(read_file(a), read_file(other));
}

TEST(Prune, SoftKeepsShapesAndCountsZeros) {
  const Scratch scratch;
  const std::string file = zoo_file("resnet18"), soft = scratch / "soft.onnx", twin = scratch / "twin.onnx";
  const Json report = run_json({"prune", file, "-o", soft, "--ratio", "50%", "--soft", "--twin", twin});
  EXPECT_EQ(report["params"]["after"], 11'689'512);
  EXPECT_TRUE(exists(twin));
  const Json result = run_json({"inspect", soft});
  EXPECT_EQ(result["params"], 11'689'512);
  for (const Json& tensor : result["tensors"]) {
    if (tensor["name"] == "conv1.weight") {
      EXPECT_EQ(tensor["zeros"], 32 * 3 * 7 * 7);
    }
  }
}

TEST(Prune, ADryRunForeseesZerosInsteadOfRemoval) {
  const Scratch scratch;
  const std::string file = zoo_file("resnet18"), soft = scratch / "soft.onnx";
  const Json foreseen = run_json({"prune", file, "--ratio", "30%", "--soft", "--dry-run"});
  const Json real = run_json({"prune", file, "--ratio", "30%", "--soft", "-o", soft});
  EXPECT_EQ(foreseen["params"]["after"], 11'689'512);
  for (const char* field : {"soft", "ratio", "params", "macs", "groups", "inexact", "reach", "locks", "steps"})
    EXPECT_EQ(foreseen[field], real[field]) << field;
  EXPECT_EQ(foreseen["bytes"]["after"], read_file(file).size());
  const Outcome text = run({"prune", file, "--ratio", "30%", "--soft", "--dry-run"});
  EXPECT_NE(text.out.find("(dry run, zeros instead of removal)"), std::string::npos) << text.out;
}

TEST(Prune, OutMayBeTheInput) {
  const Scratch scratch;
  const std::string file = scratch / "model.onnx";
  write_file(file, read_file(zoo_file("mlp")));
  const Json report = run_json({"prune", file, "-o", file, "--ratio", "50%"});
  EXPECT_EQ(run_json({"inspect", file})["params"], report["params"]["after"]);
}

TEST(Prune, DryRunWritesOnlyThePlan) {
  const Scratch scratch;
  const std::string plan = scratch / "plan.json", out = scratch / "out.onnx";
  const Json report =
      run_json({"prune", zoo_file("mlp"), "-o", out, "--ratio", "50%", "--dry-run", "--plan-out", plan});
  EXPECT_TRUE(report["output"].is_null());
  EXPECT_FALSE(exists(out));
  EXPECT_TRUE(exists(plan));
}

TEST(Prune, DryRunSaysThatNothingIsWritten) {
  const std::vector<std::string> dry{"prune", zoo_file("mlp"), "--dry-run", "--ratio", "50%"};
  const auto said = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = dry;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments).err;
  };
  EXPECT_EQ(said({}), "");
  EXPECT_EQ(said({"--twin", "t.onnx"}), "coppice: --dry-run: nothing is written to t.onnx\n");
  EXPECT_EQ(said({"-o", "o.onnx", "--twin", "t.onnx"}),
            "coppice: --dry-run: nothing is written to o.onnx and t.onnx\n");
}

TEST(Prune, TextTellsTheExtentsThatMacsAreFor) {
  EXPECT_NE(
      run({"prune", zoo_file("gpt2_tiny"), "--dry-run", "--ratio", "50%"}).out.find("\nMACs are for input_ids 1x12\n"),
      std::string::npos);
  EXPECT_NE(run({"inspect", zoo_file("gpt2_tiny"), "--shape", "input_ids=2x7"}).out.find(" (input_ids 2x7)\n"),
            std::string::npos);
}

TEST(Prune, WhatTheCriterionDoesNotMeasureStaysAndSaysSo) {
  const Outcome refused = run({"prune", zoo_file("mlp"), "--dry-run", "--ratio", "50%", "--criterion", "bn_scale"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("the criterion measures nothing of it"), std::string::npos) << refused.err;
  const std::vector<std::string> gpt{"prune", zoo_file("gpt2_tiny"), "--dry-run", "--ratio",
                                     "50%",   "--criterion",         "bn_scale"};
  const Outcome partial = run(gpt);
  EXPECT_EQ(partial.err.find("coppice: warning: group "), 0u) << partial.err;
  EXPECT_NE(partial.err.find(" stays whole with its "), std::string::npos) << partial.err;
  EXPECT_NE(partial.out.find("the criterion measures nothing of it"), std::string::npos) << partial.out;
  const Json report = run_json(gpt);
  EXPECT_GT(report["locks"]["unmeasured"], 0);
  EXPECT_NE(report["warnings"][0].get<std::string>().find("bn_scale measures none of these"), std::string::npos);
  EXPECT_EQ(run({"prune", zoo_file("resnet18"), "--dry-run", "--ratio", "50%", "--criterion", "bn_scale"}).err, "");
}

TEST(Prune, InexactCutsSaySoAndCanBeRefused) {
  const std::string file = zoo_file("gpt2_tiny");
  const Json report = run_json({"prune", file, "--dry-run", "--ratio", "50%"});
  ASSERT_TRUE(report["inexact"].is_array());
  EXPECT_NE(report["inexact"][0].get<std::string>().find("LayerNormalization"), std::string::npos);
  const Json exact = run_json({"prune", file, "--dry-run", "--ratio", "50%", "--exact-only"});
  EXPECT_EQ(exact["inexact"], false);
  EXPECT_GT(exact["locks"]["inexact"], 0);
}

TEST(Prune, RoundingAndMinimumHold) {
  const Scratch scratch;
  const std::string out = scratch / "out.onnx";
  ASSERT_EQ(run({"prune", zoo_file("resnet18"), "-o", out, "--ratio", "30%", "--round-to", "16"}).code, 0);
  EXPECT_EQ(channels(run_json({"inspect", out}), "conv1"), 48);
  ASSERT_EQ(run({"prune", zoo_file("resnet18"), "-o", out, "--ratio", "90%", "--min-units", "20"}).code, 0);
  EXPECT_EQ(channels(run_json({"inspect", out}), "conv1"), 20);
}

}  // namespace
}  // namespace coppice::test
