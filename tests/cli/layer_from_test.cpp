#include <gtest/gtest.h>

#include "cli/program.hpp"

// prune --layer-from: ratios by layer out of a sensitivity file.
namespace coppice::test {
namespace {

using Json = nlohmann::json;

Json group(const std::string& layer, double value) {
  return {{"layers", {layer}},
          {"units", 512},
          {"points", {{{"ratio", 0.5}, {"removed", 256}, {"value", value}, {"parameters", 1}, {"macs", 1}}}}};
}

/// ResNet-18's last stage: its first block matters least.
std::string sensitivity(const Scratch& scratch, const std::string& first = "layer4.0.conv1") {
  const Json whole{{"coppice_sensitivity", 1},
                   {"metric", "accuracy"},
                   {"higher_is_better", true},
                   {"baseline", 0.7},
                   {"samples", 100},
                   {"ratios", {0.5}},
                   {"groups", {group(first, 0.65), group("layer4.1.conv1", 0.6), group("layer3.0.conv1", 0.3)}}};
  const std::string path = scratch / "s.json";
  write_file(path, whole.dump());
  return path;
}

std::int64_t channels(const Json& inspected, const std::string& layer) {
  for (const Json& row : inspected["layers"])
    if (row["name"] == layer) return row["shape"][1];
  return -1;
}

TEST(LayerFrom, MeetsTheTarget) {
  const Scratch scratch;
  const std::string model = zoo_file("resnet18"), out = scratch / "out.onnx", plan = scratch / "plan.json";
  const Json report = run_json(
      {"prune", model, "-o", out, "--layer-from", sensitivity(scratch), "--target-params", "80%", "--plan-out", plan});
  EXPECT_LE(report["params"]["after"].get<double>(), 0.8 * report["params"]["before"].get<double>());
  EXPECT_GT(report["params"]["after"].get<double>(), 0.795 * report["params"]["before"].get<double>());
  const Json inspected = run_json({"inspect", out});
  const std::int64_t least = channels(inspected, "layer4.0.conv1"), more = channels(inspected, "layer4.1.conv1");
  // Drops of 0.05, 0.1 and 0.4 have the norms 0, 1/7 and 1: ratios 0.9 and 0.9 x 6/7, moved alike, and nothing.
  EXPECT_LT(least, 512);
  EXPECT_NEAR(static_cast<double>(more - least), 512 * 0.9 / 7, 1);
  EXPECT_EQ(channels(inspected, "layer3.0.conv1"), 256);
  EXPECT_EQ(channels(inspected, "layer2.0.conv1"), 128);
  // The plan tells the ratios as --layer would.
  const Json options = Json::parse(read_file(plan))["options"];
  EXPECT_EQ(options["target-params"], "80%");
  std::vector<std::string> again{"prune", model, "-o", scratch / "again.onnx"};
  std::stringstream layers(options["layer"].get<std::string>());
  for (std::string layer; std::getline(layers, layer, ',');) again.insert(again.end(), {"--layer", layer});
  EXPECT_EQ(again.size(), 4U + 2 * 3);
  EXPECT_EQ(run_json(again)["params"], report["params"]);
}

TEST(LayerFrom, HeedsIgnoredLayersAndRounding) {
  const Scratch scratch;
  const std::string out = scratch / "out.onnx";
  const Json report = run_json({"prune", zoo_file("resnet18"), "-o", out, "--layer-from", sensitivity(scratch),
                                "--target-macs", "95%", "--ignore", "layer4.0", "--round-to", "16"});
  EXPECT_LE(report["macs"]["after"].get<double>(), 0.95 * report["macs"]["before"].get<double>());
  const Json inspected = run_json({"inspect", out});
  EXPECT_EQ(channels(inspected, "layer4.0.conv1"), 512);
  EXPECT_LT(channels(inspected, "layer4.1.conv1"), 512);
  EXPECT_EQ(channels(inspected, "layer4.1.conv1") % 16, 0);
}

TEST(LayerFrom, SaysWhatIsWrong) {
  const Scratch scratch;
  const std::string model = zoo_file("resnet18"), file = sensitivity(scratch);
  const auto refusal = [&](std::vector<std::string> arguments, int code) {
    arguments.insert(arguments.begin(), {"prune", model, "--dry-run", "--layer-from"});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code);
    return outcome.err;
  };
  EXPECT_NE(refusal({file}, 2).find("--layer-from: what is to be left? Give --target-macs or --target-params"),
            std::string::npos);
  EXPECT_NE(refusal({file, "--target-macs", "50%", "--ratio", "10%"}, 2).find("cannot be combined"), std::string::npos);
  EXPECT_NE(refusal({file, "--plan", "p.json"}, 2).find("it cannot be combined with --layer-from"), std::string::npos);
  EXPECT_NE(refusal({file, "--target-macs", "10%"}, 1).find(file + ": target: cannot be reached: with 90 % of every"),
            std::string::npos);
  EXPECT_NE(refusal({sensitivity(scratch, "layer5"), "--target-macs", "95%"}, 1)
                .find(file + ": layer \"layer5\": no node or parameter of that name; nearest: "),
            std::string::npos);
  write_file(file, "{\"a\": 1}");
  EXPECT_NE(refusal({file, "--target-macs", "50%"}, 1)
                .find(file + ": sensitivity: expected an object with \"coppice_sensitivity\", found none"),
            std::string::npos);
  EXPECT_NE(refusal({scratch / "none.json", "--target-macs", "50%"}, 1).find("none.json"), std::string::npos);
  EXPECT_NE(refusal({file, "--target-macs", "50%", "--plan-out", file}, 2).find("name the same file"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice::test
