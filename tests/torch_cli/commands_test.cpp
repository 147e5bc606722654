#include <fstream>

#include <gtest/gtest.h>

#include "coppice/formats/npy.hpp"

#include "cli/program.hpp"
#include "support/npz.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;
using tensor::DType;
using tensor::Tensor;

std::string npy(const Scratch& scratch, const std::string& name, DType dtype, const tensor::Shape& shape,
                const std::vector<double>& values) {
  formats::write_npy(from_doubles(dtype, shape, values), scratch / name);
  return scratch / name;
}

std::vector<double> wave(std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(i * 37 % 101) / 50 - 1;
  return out;
}

TEST(Run, FeedsAndWritesArrays) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp");
  const Json inputs = run_json({"inspect", model})["inputs"];
  const std::string name = inputs[0]["name"];
  const std::int64_t features = inputs[0]["shape"].back();
  const std::string x =
      npy(scratch, "x.npy", DType::float32, {2, features}, wave(static_cast<std::size_t>(2 * features)));
  const Json found = run_json({"run", model, "--input", name + "=" + x, "--output-dir", scratch / "results"});
  const std::string output = found["outputs"][0]["name"];
  const Tensor y = formats::read_npy(scratch / ("results/" + output + ".npy"));
  EXPECT_EQ(y.shape.at(0), 2);
  EXPECT_EQ(found["outputs"][0]["shape"], y.shape);

  // The same again is the same, to the byte; another input is not.
  run_json({"run", model, "--input", name + "=" + x, "--output-dir", scratch / "again"});
  EXPECT_EQ(read_file(scratch / ("results/" + output + ".npy")), read_file(scratch / ("again/" + output + ".npy")));
  run_json({"run", model, "--shape", name + "=2x" + std::to_string(features), "--output-dir", scratch / "random"});
  EXPECT_NE(read_file(scratch / ("results/" + output + ".npy")), read_file(scratch / ("random/" + output + ".npy")));
}

TEST(Run, SaysWhatIsWrongWithAnInput) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp");
  const std::string x = npy(scratch, "x.npy", DType::float32, {2, 3}, wave(6));
  EXPECT_EQ(run({"run", model, "--input", "nonsense=" + x}).code, 1);
  EXPECT_EQ(run({"run", model, "--input", x}).code, 2);
  const std::string name = run_json({"inspect", model})["inputs"][0]["name"];
  const Outcome shape = run({"run", model, "--input", name + "=" + x});
  EXPECT_EQ(shape.code, 1);
  EXPECT_NE(shape.err.find(name), std::string::npos) << shape.err;
  EXPECT_EQ(run({"run", model, "--input", name + "=" + scratch / "missing.npy"}).code, 1);
}

TEST(Device, CudaWhereThereIsNone) {
  const Outcome found = run({"run", zoo_file("mlp"), "--device", "cuda"});
  if (found.code == 0) GTEST_SKIP() << "this machine has a CUDA device";
  EXPECT_EQ(found.code, 1);
  EXPECT_NE(found.err.find("--device cuda: this machine has no CUDA device"), std::string::npos) << found.err;
  EXPECT_EQ(run({"run", zoo_file("mlp"), "--device", "tpu"}).code, 2);
}

TEST(Verify, PassesForACutAndFailsForAnother) {
  const Scratch scratch;
  const std::string model = zoo_file("lstm_tagger");
  run_json({"prune", model, "-o", scratch / "small.onnx", "--ratio", "50%", "--plan-out", scratch / "plan.json"});
  const Json found = run_json({"verify", model, scratch / "small.onnx"});
  EXPECT_EQ(found["passed"], true);
  EXPECT_LT(found["error"], 1e-4);
  EXPECT_GT(found["moved"], 1e-3);
  EXPECT_EQ(run_json({"verify", model, scratch / "small.onnx", "--plan", scratch / "plan.json"})["passed"], true);

  run_json({"prune", model, "-o", scratch / "other.onnx", "--ratio", "50%", "--criterion", "random"});
  const Outcome wrong = run({"verify", model, scratch / "other.onnx", "--plan", scratch / "plan.json"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.err.find("other.onnx"), std::string::npos) << wrong.err;
}

TEST(Verify, PruneProvesBeforeItWrites) {
  const Scratch scratch;
  const Outcome found = run({"prune", zoo_file("mlp"), "-o", scratch / "small.onnx", "--ratio", "50%", "--verify"});
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_NE(found.out.find("verified: twin and pruned model agree to"), std::string::npos) << found.out;
}

TEST(Bench, TwoModelsTakeTurns) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp");
  run_json({"prune", model, "-o", scratch / "small.onnx", "--ratio", "50%"});
  const Json found = run_json({"bench", model, scratch / "small.onnx", "--seconds", "0.05", "--batch", "4"});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["runs"], found[1]["runs"]);
  EXPECT_GT(found[0]["median_seconds"], 0.0);
  EXPECT_GT(found[0]["macs"], found[1]["macs"]);
  EXPECT_EQ(run({"bench", model, "--seconds", "0"}).code, 2);
}

TEST(Run, ReadsNpzFiles) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp");
  const Json inspected = run_json({"inspect", model});
  const std::string name = inspected["inputs"][0]["name"];
  const std::int64_t features = inspected["inputs"][0]["shape"].back();
  const Tensor x = from_doubles(DType::float32, {2, features}, wave(static_cast<std::size_t>(2 * features)));
  formats::write_npy(x, scratch / "x.npy");
  std::ofstream(scratch / "one.npz", std::ios::binary) << test::npz({{"arr_0", x}});
  std::ofstream(scratch / "two.npz", std::ios::binary)
      << test::npz({{"other", from_doubles(DType::float32, {1}, std::vector<double>{1})}, {name, x}});
  const auto result = [&](const std::string& file) {
    const Outcome out = run({"run", model, "--input", name + "=" + scratch / file});
    EXPECT_EQ(out.code, 0) << out.err;
    return out.out;
  };
  const std::string expected = result("x.npy");
  for (const std::string& file : {std::string("one.npz"), std::string("two.npz"), "two.npz:" + name})
    EXPECT_EQ(result(file), expected) << file;
  const Outcome refused = run({"run", model, "--input", name + "=" + scratch / "one.npz:b"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("expected an array \"b\", found arr_0"), std::string::npos) << refused.err;
}

TEST(Inspect, TellsHowLongARunTakes) {
  const Json found = run_json({"inspect", zoo_file("mlp"), "--device", "cpu"});
  EXPECT_GT(found["run_seconds"]["median"], 0.0);
  EXPECT_LE(found["run_seconds"]["low"], found["run_seconds"]["high"]);
}

// Each is told, with its option's other values, before data are read.
TEST(Train, WrongNamesAreRefused) {
  const Scratch scratch;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--loss", "nonsense"}, "--loss: expected cross-entropy, mse or binary-cross-entropy"},
      {{"--metric", "nonsense"}, "--metric: expected accuracy, perplexity, or top5 and the like"},
      {{"--precision", "nonsense"}, "--precision: expected float32 or bfloat16"},
      {{"--rate-schedule", "nonsense"}, "--rate-schedule: expected constant, step, cosine or one_cycle"},
      {{"--pruning-ratio", "30", "--criterion", "nonsense"}, "--criterion: expected one of"},
      {{"--pruning-ratio", "30", "--schedule", "nonsense"}, "--schedule: expected one_shot"},
      {{"--pruning-ratio", "30", "--context", "nonsense"}, "--context: expected local, global or isomorphic"},
      {{"--pruning-ratio", "130"}, "--pruning-ratio: expected 0 to below 1"},
      {{"--held-out", "x"}, "--held-out: expected 0 to below 1"},
      {{"--optimizer", "nonsense"}, "--optimizer: expected sgd, adam or adamw"},
      {{"--schedule", "cos"}, "--schedule requires --pruning-ratio"},
      {{"--resume"}, "--resume requires --checkpoint"}};
  for (const auto& [options, expected] : cases) {
    std::vector<std::string> arguments{"train", "zoo:mlp", "--data", scratch / "none.npy", "-o", scratch / "out.onnx"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << expected;
    EXPECT_NE(outcome.err.find(expected), std::string::npos) << outcome.err;
  }
}

TEST(Train, WritesOverNothingThatItReadsOrWrites) {
  const Scratch scratch;
  const std::string model = scratch / "m.onnx", out = scratch / "out.onnx", data = scratch / "none.npy";
  std::filesystem::copy_file(zoo_file("mlp"), model);
  const std::string before = read_file(model);
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"finetune", model, "-o", out, "--checkpoint", model}, "--checkpoint: expected another file than MODEL"},
      {{"finetune", model, "-o", out, "--history", model}, "--history: expected another file than MODEL"},
      {{"finetune", model, "-o", out, "--checkpoint", out}, "--checkpoint: expected another file than --out"},
      {{"finetune", zoo_file("mlp"), "--teacher", model, "-o", model}, "--out: expected another file than --teacher"},
      {{"sensitivity", model, "-o", model}, "--out: expected another file than MODEL"}};
  for (auto [arguments, expected] : cases) {
    arguments.insert(arguments.end(), {"--data", data});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << expected;
    EXPECT_NE(outcome.err.find(expected), std::string::npos) << outcome.err;
    EXPECT_EQ(read_file(model), before);
  }
}

TEST(Finetune, ZerosStayUnlessTheyMayGrow) {
  const Scratch scratch;
  run_json({"sparsify", zoo_file("mlp"), "-o", scratch / "sparse.onnx", "--sparsity", "80%"});
  const std::int64_t features = run_json({"inspect", zoo_file("mlp")})["inputs"][0]["shape"].back();
  const std::string x =
      npy(scratch, "x.npy", DType::float32, {20, features}, wave(static_cast<std::size_t>(20 * features)));
  const std::string y = npy(scratch, "y.npy", DType::int64, {20}, std::vector<double>(20, 3));
  const auto zeros = [&](const std::string& command, const std::string& told, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{command, scratch / "sparse.onnx",  "--data",   x + ":" + y,
                                       "-o",    scratch / "trained.onnx", "--epochs", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.err.find("187,801 of 234,752 weights of layers are zero and " + told), std::string::npos)
        << outcome.err;
    const Json found = run_json({"sparsify", scratch / "trained.onnx", "--dry-run", "--sparsity", "0"});
    return found["zeros"]["before"].get<std::int64_t>();
  };
  EXPECT_EQ(zeros("finetune", "stay so", {}), 187801);
  EXPECT_LT(zeros("finetune", "may grow", {"--regrow"}), 100000);
  EXPECT_EQ(zeros("train", "stay so", {"--keep-zeros"}), 187801);
  EXPECT_LT(zeros("train", "may grow", {}), 100000);
}

TEST(DataCriteria, PruneByGradients) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp");
  const Json inspected = run_json({"inspect", model});
  const std::int64_t features = inspected["inputs"][0]["shape"].back();
  const std::string x =
      npy(scratch, "x.npy", DType::float32, {8, features}, wave(static_cast<std::size_t>(8 * features)));
  const std::string y = npy(scratch, "y.npy", DType::int64, {8}, {0, 1, 2, 3, 4, 5, 6, 7});
  std::string first;
  for (const char* criterion : {"taylor", "hessian", "activation_norm"}) {
    const std::string out = scratch / (std::string(criterion) + ".onnx");
    const Json found =
        run_json({"prune", model, "-o", out, "--ratio", "50%", "--criterion", criterion, "--data", x + ":" + y});
    EXPECT_LT(found["params"]["after"], found["params"]["before"]);
    if (first.empty()) first = read_file(out);
  }
  // The same data, the same file; it differs from what the weights alone say.
  const auto again = [&](const std::vector<std::string>& more, const std::string& name) {
    std::vector<std::string> arguments{"prune", model, "-o", scratch / name, "--ratio", "50%"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_json(arguments);
    return read_file(scratch / name);
  };
  EXPECT_EQ(again({"--criterion", "taylor", "--data", x + ":" + y, "--threads", "1"}, "again.onnx"), first);
  EXPECT_NE(again({}, "weights.onnx"), first);
}

TEST(DataCriteria, SayWhatIsMissing) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp"), out = scratch / "out.onnx";
  EXPECT_EQ(run({"prune", model, "-o", out, "--ratio", "50%", "--criterion", "taylor"}).code, 2);
  EXPECT_EQ(run({"prune", model, "-o", out, "--ratio", "50%", "--data", "x.npy:y.npy"}).code, 2);
  EXPECT_EQ(run({"prune", model, "-o", out, "--ratio", "50%", "--criterion", "movement"}).code, 2);
  const std::string x = npy(scratch, "x.npy", DType::float32, {4, 3}, wave(12));
  const std::string y = npy(scratch, "y.npy", DType::int64, {5}, {0, 1, 2, 3, 4});
  const Outcome lengths =
      run({"prune", model, "-o", out, "--ratio", "50%", "--criterion", "taylor", "--data", x + ":" + y});
  EXPECT_EQ(lengths.code, 1);
  EXPECT_NE(lengths.err.find("4"), std::string::npos) << lengths.err;
  EXPECT_NE(lengths.err.find("5"), std::string::npos) << lengths.err;
  EXPECT_EQ(
      run({"prune", model, "-o", out, "--ratio", "50%", "--criterion", "taylor", "--data", "none.npy:no.npy"}).code, 1);
  EXPECT_FALSE(exists(out));
}

TEST(DataCriteria, CompareWithTheFirstWeights) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp");
  run_json({"zoo", "mlp", "--seed", "1", "-o", scratch / "first.onnx"});
  const Json found = run_json({"prune", model, "-o", scratch / "small.onnx", "--ratio", "50%", "--criterion",
                               "movement", "--initial", scratch / "first.onnx"});
  EXPECT_LT(found["params"]["after"], found["params"]["before"]);
}

}  // namespace
}  // namespace coppice::test
