#include <set>

#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;

TEST(Sparsify, JsonHoldsExactCountsAndTheFileHasThem) {
  const Scratch scratch;
  const std::string file = zoo_file("mlp"), out = scratch / "out.onnx";
  const Json report = run_json({"sparsify", file, "-o", out, "--sparsity", "70%", "--context", "global"});
  EXPECT_EQ(report["weights"], 234'752);
  EXPECT_EQ(report["zeros"]["before"], 0);
  EXPECT_EQ(report["zeros"]["after"], 164'326);  // 164,326.4
  EXPECT_EQ(report["output"], out);
  EXPECT_EQ(report["bytes"]["before"], read_file(file).size());
  EXPECT_EQ(report["bytes"]["after"], read_file(out).size());
  EXPECT_EQ(report["left"], Json::array());
  // A second time the zeros are there already, and are the smallest.
  const Json again = run_json({"sparsify", out, "--dry-run", "--sparsity", "70%", "--context", "global"});
  EXPECT_EQ(again["zeros"]["before"], 164'326);
  EXPECT_EQ(again["zeros"]["after"], 164'326);
  EXPECT_EQ(again["output"], nullptr);
  // Shapes stay.
  EXPECT_EQ(run_json({"inspect", out})["params"], 235'146);
}

TEST(Sparsify, IsTheSameFileForAnyNumberOfThreadsAndInPlace) {
  const Scratch scratch;
  const std::string a = scratch / "a.onnx", b = scratch / "b.onnx";
  write_file(b, read_file(zoo_file("resnet18")));
  EXPECT_EQ(run({"sparsify", zoo_file("resnet18"), "-o", a, "--sparsity", "0.9", "--threads", "1"}).code, 0);
  EXPECT_EQ(run({"sparsify", b, "-o", b, "--sparsity", "90", "--threads", "7"}).code, 0);
  EXPECT_EQ(read_file(a), read_file(b));
  EXPECT_NE(read_file(a), read_file(zoo_file("resnet18")));
}

TEST(Sparsify, LayersAndIgnoredOnesAreTold) {
  const Json report = run_json({"sparsify", zoo_file("resnet18"), "--dry-run", "--sparsity", "50", "--layer",
                                "layer4=100%", "--ignore", "conv1", "--keep-classifier"});
  ASSERT_EQ(report["left"].size(), 2u);
  EXPECT_EQ(report["left"][0]["reason"], "ignored");
  EXPECT_EQ(report["left"][1]["reason"], "output layer");
  for (const Json& layer : report["layers"]) {
    const std::int64_t weights = layer["weights"], zeros = layer["zeros"]["after"];
    const bool last = layer["layer"].get<std::string>().starts_with("layer4");
    EXPECT_EQ(zeros, last ? weights : weights / 2) << layer["layer"];
  }
}

TEST(Sparsify, TextIsHonestAboutTheSize) {
  const Outcome outcome = run({"sparsify", zoo_file("mlp"), "--dry-run", "--pattern", "2:4"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("117,376  50.0 %"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("dense files do not shrink by zeros"), std::string::npos);
}

TEST(Sparsify, PatternsAreFoundAgain) {
  const Scratch scratch;
  // Gemm stored as outputs x inputs, convolutions, and MatMul stored the other way round.
  for (const char* model : {"mlp", "resnet18", "gpt2_tiny"}) {
    const std::string out = scratch / "sparse.onnx";
    const Json report = run_json({"sparsify", zoo_file(model), "-o", out, "--pattern", "2:4"});
    std::set<std::string> sparse, found;
    for (const Json& layer : report["layers"])
      if (layer["zeros"]["after"] > 0) sparse.insert(layer["name"]);
    const Json inspected = run_json({"inspect", out});
    for (const Json& tensor : inspected["tensors"])
      if (tensor["patterns"] == Json::parse(R"(["2:4"])")) found.insert(tensor["name"]);
    EXPECT_EQ(found, sparse) << model;
    EXPECT_FALSE(found.empty()) << model;
  }
  EXPECT_NE(run({"inspect", scratch / "sparse.onnx"}).out.find("50.0 %  2:4\n"), std::string::npos);
}

TEST(Sparsify, SparseInitializersMakeTheFileSmaller) {
  const Scratch scratch;
  const std::string dense = scratch / "dense.onnx", sparse = scratch / "sparse.onnx";
  const auto sparsify = [](const std::string& file, const std::string& out, const std::string& encoding) {
    return run_json({"sparsify", file, "-o", out, "--sparsity", "60", "--layer", "fc1=90", "--encoding", encoding});
  };
  const Json plain = sparsify(zoo_file("mlp"), dense, "dense"),
             small = sparsify(zoo_file("mlp"), sparse, "sparse_initializer");
  EXPECT_EQ(plain["sizes"], small["sizes"]);
  EXPECT_EQ(small["sizes"]["dense"], read_file(dense).size());
  EXPECT_EQ(small["sizes"]["sparse_initializer"], read_file(sparse).size());
  EXPECT_EQ(small["bytes"]["after"], read_file(sparse).size());
  EXPECT_EQ(plain["bytes"]["after"], read_file(dense).size());
  // 20,070 of 200,704 weights stay: 12 bytes each instead of 802,816.
  const std::size_t saved = read_file(dense).size() - read_file(sparse).size();
  EXPECT_NEAR(static_cast<double>(saved), 802'816 - 20'070 * 12, 100);
  EXPECT_EQ(small["layers"][0]["encoding"], "sparse_initializer");
  EXPECT_EQ(small["layers"][1]["encoding"], "dense");
  EXPECT_FALSE(plain["layers"][0].contains("encoding"));
  // Every command reads it, and what is written normally is dense.
  EXPECT_EQ(run_json({"inspect", sparse})["params"], 235'146);
  const Json again = sparsify(sparse, scratch / "again.onnx", "dense");
  EXPECT_EQ(again["zeros"]["before"], small["zeros"]["after"]);
  EXPECT_EQ(read_file(scratch / "again.onnx").size(), read_file(dense).size());
}

TEST(Sparsify, TakesNoCriterionOfChannels) {
  const Outcome outcome = run({"sparsify", zoo_file("mlp"), "--dry-run", "--sparsity", "50", "--criterion", "fpgm"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("--criterion: expected one of"), std::string::npos) << outcome.err;
}

TEST(Sparsify, FailsWithOneLineAndLeavesTheTarget) {
  const Scratch scratch;
  const std::string out = scratch / "out.onnx";
  write_file(out, "old");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--sparsity", "101"}, "sparsity: expected 0 to 100 percent"},
      {{"--sparsity", "-1"}, "sparsity: expected 0 to 100 percent"},
      {{"--sparsity", "50", "--layer", "fc1=300"}, "--layer fc1: sparsity: expected 0 to 100 percent"},
      {{"--sparsity", "50", "--layer", "fc9=30"}, "nearest: fc1"},
      {{"--sparsity", "50", "--granularity", "kernel"}, "fc1: granularity kernel is not for matrices"},
      {{"--pattern", "2:5"}, "nothing to sparsify: all 3 layers stay dense"},
      {{"--sparsity", "50", "--ignore", "*"}, "nothing to sparsify"}};
  for (const auto& [options, says] : cases) {
    std::vector<std::string> arguments{"sparsify", zoo_file("mlp"), "-o", out};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 1) << says;
    EXPECT_EQ(outcome.out, "") << says;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    EXPECT_EQ(read_file(out), "old");
  }
}

TEST(Sparsify, MasksAreKeptAndReplayedOnAnotherCheckpoint) {
  const Scratch scratch;
  const std::string masks = scratch / "m.safetensors", other = scratch / "other.onnx", out = scratch / "out.onnx";
  ASSERT_EQ(run({"zoo", "mlp", "-o", other, "--seed", "5"}).code, 0);
  run_json({"sparsify", zoo_file("mlp"), "--dry-run", "--sparsity", "60", "--keep-classifier", "--masks-out", masks});
  const Json report = run_json({"sparsify", other, "-o", out, "--masks", masks});
  EXPECT_EQ(report["weights"], 233'472);
  EXPECT_EQ(report["zeros"]["after"], 140'083);  // 120,422.4 and 19,660.8, each rounded
  // Its own smallest weights are others.
  EXPECT_EQ(run_json({"sparsify", out, "--dry-run", "--sparsity", "0"})["zeros"]["before"], 140'083);
  ASSERT_EQ(run({"sparsify", other, "-o", scratch / "own.onnx", "--sparsity", "60", "--keep-classifier"}).code, 0);
  EXPECT_NE(read_file(out), read_file(scratch / "own.onnx"));
  // Masks of another model, and what are no masks.
  write_file(out, "old");
  for (const auto& [model, file] : {std::pair{zoo_file("resnet18"), masks}, {other, other}}) {
    const Outcome outcome = run({"sparsify", model, "-o", out, "--masks", file});
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_EQ(read_file(out), "old");
  }
}

TEST(Sparsify, BadUsageEndsWithTwo) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"-o", "o.onnx"}, "how much?"},
      {{"-o", "o.onnx", "--pattern", "2x2"}, "how much?"},
      {{"--sparsity", "50"}, "-o FILE is missing"},
      {{"-o", "o.onnx", "--masks", "m", "--sparsity", "50"}, "--masks decides by itself"},
      {{"-o", "o.onnx", "--sparsity", "50", "--masks-out", "o.onnx"}, "same file"},
      {{"--dry-run", "--sparsity", "50", "--masks-out", "m.onnx"}, "same file"},
      {{"-o", "o.onnx", "--sparsity", "50", "--encoding", "csr"}, "encoding: expected dense or sparse_initializer"},
      {{"-o", "o.onnx", "--pattern", "4:2"}, "pattern: expected none, N:M"},
      {{"-o", "o.onnx", "--pattern", "2:4", "--sparsity", "30"}, "makes its own sparsity"},
      {{"-o", "o.onnx", "--sparsity", "50", "--granularity", "rows"}, "shared_row"},
      {{"-o", "o.onnx", "--sparsity", "50", "--context", "isomorphic"}, "local or global"}};
  for (const auto& [options, says] : cases) {
    std::vector<std::string> arguments{"sparsify", "m.onnx"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << says << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace coppice::test
