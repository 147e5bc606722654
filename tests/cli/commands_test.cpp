#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;

TEST(Zoo, ListsEveryArchitecture) {
  const Json list = run_json({"zoo"});
  ASSERT_TRUE(list.is_array());
  EXPECT_GE(list.size(), 13u);
  const Outcome text = run({"zoo"});
  for (const Json& entry : list) EXPECT_NE(text.out.find(entry["name"].get<std::string>()), std::string::npos);
  EXPECT_NE(text.out.find("11,689,512"), std::string::npos);
}

TEST(Zoo, WritesTheSameBytesForTheSameSeed) {
  const Scratch scratch;
  const std::string a = scratch / "a.onnx", b = scratch / "b.onnx", c = scratch / "c.onnx";
  const Json report = run_json({"zoo", "mlp", "-o", a, "--seed", "5"});
  EXPECT_EQ(report["params"], 235'146);
  EXPECT_EQ(report["bytes"], read_file(a).size());
  run_json({"zoo", "mlp", "-o", b, "--seed", "5"});
  run_json({"zoo", "mlp", "-o", c, "--seed", "6"});
  EXPECT_EQ(read_file(a), read_file(b));
  EXPECT_NE(read_file(a), read_file(c));
}

TEST(Inspect, CountsBeyondInt64AreItsLargest) {
  const std::string file = zoo_file("mlp");
  // 2^62 rows: 2^62 * 784 * 256 products in the first layer alone.
  const std::vector<std::string> shape{"--shape", "input=4611686018427387904x784"};
  const Json report = run_json({"inspect", file, shape[0], shape[1]});
  EXPECT_EQ(report["macs"], INT64_MAX);
  EXPECT_EQ(report["layers"][0]["macs"], INT64_MAX);
  const Json pruned = run_json({"prune", file, "--dry-run", "--ratio", "50%", shape[0], shape[1]});
  EXPECT_EQ(pruned["macs"]["before"], INT64_MAX);
  EXPECT_EQ(pruned["macs"]["after"], INT64_MAX);
  const Json compared = run_json({"diff", file, file, shape[0], shape[1]});
  EXPECT_EQ(compared["macs"]["a"], INT64_MAX);
  EXPECT_EQ(compared["layers"][0]["b"]["macs"], INT64_MAX);
}

TEST(Inspect, CountsResNet18) {
  const std::string file = zoo_file("resnet18");
  const Json report = run_json({"inspect", file});
  EXPECT_EQ(report["params"], 11'689'512);
  EXPECT_EQ(report["bytes"], read_file(file).size());
  EXPECT_EQ(report["dtype"], "float32");
  EXPECT_EQ(report["opset"], 17);
  EXPECT_EQ(report["inputs"][0]["shape"], Json::parse(R"(["batch", 3, 224, 224])"));
  EXPECT_GT(report["reach"], 0.995);
  EXPECT_FALSE(report.contains("groups"));
  std::int64_t parameters = 0, macs = 0;
  for (const Json& layer : report["layers"]) {
    parameters += layer["params"].get<std::int64_t>();
    macs += layer["macs"].get<std::int64_t>();
    if (layer["name"] != "conv1") continue;
    EXPECT_EQ(layer["op"], "Conv");
    EXPECT_EQ(layer["shape"], Json::parse("[1, 64, 112, 112]"));
    EXPECT_EQ(layer["params"], 64 * 3 * 7 * 7);
    EXPECT_EQ(layer["macs"], 64 * 3 * 7 * 7 * 112 * 112);
  }
  EXPECT_EQ(parameters, 11'689'512);
  EXPECT_EQ(macs, report["macs"]);
  std::int64_t elements = 0;
  for (const Json& tensor : report["tensors"]) {
    elements += tensor["elements"].get<std::int64_t>();
    if (tensor["name"] == "bn1.bias") {
      EXPECT_EQ(tensor["zeros"], 64);
      EXPECT_EQ(tensor["layer"], "bn1");
    }
    if (tensor["name"] == "conv1.weight") {
      EXPECT_EQ(tensor["zeros"], 0);
    }
  }
  EXPECT_EQ(elements, 11'689'512);
}

TEST(Inspect, ShapeGuidesMacs) {
  const std::string file = zoo_file("resnet18");
  const double once = run_json({"inspect", file})["macs"];
  const double batch = run_json({"inspect", file, "--shape", "input=4x3x224x224"})["macs"];
  EXPECT_EQ(batch, 4 * once);
}

TEST(Inspect, ListsGroupsAndLocks) {
  const std::string file = zoo_file("resnet18");
  const Json report = run_json({"inspect", file, "--groups", "--locks"});
  EXPECT_EQ(report["groups"].size(), report["group_count"]);
  bool stem = false;
  for (const Json& group : report["groups"]) {
    for (const Json& member : group["members"]) {
      if (member["parameter"] != "conv1.weight") continue;
      stem = true;
      EXPECT_EQ(member["axis"], 0);
      EXPECT_EQ(group["units"], 64);
    }
  }
  EXPECT_TRUE(stem);
  bool output = false;
  for (const Json& lock : report["locks"]) {
    if (lock["reason"] != "graph_output") continue;
    output = true;
    EXPECT_EQ(lock["units"], 1000);
    // The classifier: 512 x 1000 weights and 1000 biases.
    EXPECT_NEAR(lock["share"].get<double>(), 513'000 / 11'689'512.0, 1e-9);
  }
  EXPECT_TRUE(output);
  const Outcome text = run({"inspect", file, "--groups", "--locks"});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.out.find("conv1.weight[0]"), std::string::npos);
  EXPECT_NE(text.out.find("leaves with a graph output"), std::string::npos);
}

TEST(Diff, AModelAndItself) {
  const std::string file = zoo_file("mlp");
  const Json report = run_json({"diff", file, file});
  EXPECT_EQ(report["params"]["a"], report["params"]["b"]);
  for (const Json& layer : report["layers"]) {
    EXPECT_EQ(layer["differs"], false);
    EXPECT_EQ(layer["a"], layer["b"]);
  }
  EXPECT_NE(run({"diff", file, file}).out.find("0 of "), std::string::npos);
}

TEST(Diff, APrunedModelBesideItsOriginal) {
  const Scratch scratch;
  const std::string file = zoo_file("resnet18"), out = scratch / "out.onnx";
  ASSERT_EQ(run({"prune", file, "-o", out, "--ratio", "50%"}).code, 0);
  const Json report = run_json({"diff", file, out});
  EXPECT_EQ(report["params"]["a"], 11'689'512);
  EXPECT_EQ(report["params"]["b"], 3'055'880);
  EXPECT_EQ(report["bytes"]["b"], read_file(out).size());
  for (const Json& layer : report["layers"]) {
    ASSERT_FALSE(layer["a"].is_null());
    ASSERT_FALSE(layer["b"].is_null());
    EXPECT_EQ(layer["a"]["name"], layer["b"]["name"]);
    if (layer["a"]["name"] != "conv1") continue;
    EXPECT_EQ(layer["a"]["shape"][1], 64);
    EXPECT_EQ(layer["b"]["shape"][1], 32);
  }
}

}  // namespace
}  // namespace coppice::test
