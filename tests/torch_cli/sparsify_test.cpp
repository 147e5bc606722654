#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "coppice/formats/npy.hpp"
#include "coppice/torch/aten.hpp"
#include "coppice/torch/tensors.hpp"

#include "cli/program.hpp"
#include "support/scratch.hpp"

namespace coppice::test {
namespace {

struct Problem {
  Problem() {
    EXPECT_EQ(run({"zoo", "mlp", "-o", folder / "mlp.onnx"}).code, 0);
    at::Generator generator = at::detail::createCPUGenerator(3);
    formats::write_npy(to_coppice(at::randn({64, 784}, generator)), folder / "x.npy");
  }
  Outcome sparsify(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"sparsify", folder / "mlp.onnx", "-o", folder / "out.onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  Scratch folder;
};

TEST(SparsifyByData, WritesWhatTheReportSays) {
  const Problem problem;
  const std::string data = problem.folder / "x.npy";
  double errors[2] = {};
  for (const std::string criterion : {"wanda", "sparse_gpt"}) {
    const Outcome outcome = problem.sparsify({"--pattern", "2:4", "--criterion", criterion, "--data", data, "--json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const auto report = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(report.at("layers").size(), 3U);
    for (const auto& layer : report.at("layers")) {
      EXPECT_EQ(2 * layer.at("zeros").at("after").get<std::int64_t>(), layer.at("weights").get<std::int64_t>());
      EXPECT_GT(layer.at("error").get<double>(), 0);
      errors[criterion == "wanda" ? 0 : 1] += layer.at("error").get<double>();
    }
    // The file holds them: nothing more goes.
    const auto again = nlohmann::json::parse(
        run({"sparsify", problem.folder / "out.onnx", "--pattern", "2:4", "--dry-run", "--json"}).out);
    EXPECT_EQ(again.at("zeros").at("before"), again.at("zeros").at("after"));
    EXPECT_EQ(again.at("zeros").at("before"), report.at("zeros").at("after"));
  }
  EXPECT_LT(errors[1], errors[0]);
}

TEST(SparsifyByData, ComparesTheNumbersOfAllLayers) {
  const Problem problem;
  const std::string data = problem.folder / "x.npy";
  formats::write_npy(to_coppice(at::arange(64).remainder(10)), problem.folder / "y.npy");
  const std::string labelled = data + ":" + (problem.folder / "y.npy");
  for (const std::string criterion : {"snip", "taylor", "activation_magnitude"}) {
    const Outcome outcome = problem.sparsify({"--sparsity", "90%", "--criterion", criterion, "--data", labelled,
                                              "--json", "--masks-out", problem.folder / "masks.safetensors"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const auto report = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(report.at("zeros").at("after").get<std::int64_t>(), 211277) << criterion;  // of 234,752
    const auto& first = report.at("layers").at(0);
    // snip lets all layers compete, unless told otherwise.
    EXPECT_EQ(first.at("zeros").at("after").get<std::int64_t>() == 180634, criterion != "snip") << criterion;
    // The masks say the same of the model as it was.
    const Outcome again = run({"sparsify", problem.folder / "mlp.onnx", "--masks", problem.folder / "masks.safetensors",
                               "--dry-run", "--json"});
    EXPECT_EQ(nlohmann::json::parse(again.out).at("zeros").at("after"), report.at("zeros").at("after"));
  }
}

TEST(SparsifyByData, SaysWhatIsMissing) {
  const Problem problem;
  const std::string data = problem.folder / "x.npy";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--criterion", "wanda", "--sparsity", "50"}, "--criterion wanda: it looks at data; give --data"},
      {{"--sparsity", "50", "--data", data}, "--data has no effect: the criterion looks at the weights alone"},
      {{"--sparsity", "50", "--owl"}, "--owl has no effect: the criterion looks at the weights alone"},
      {{"--criterion", "snap", "--sparsity", "50", "--data", data},
       "--criterion: expected one of 15, found 'snap'; nearest: snip"},
      {{"--criterion", "snip", "--sparsity", "50"}, "--criterion snip: it looks at data; give --data"},
      {{"--criterion", "snip", "--sparsity", "50", "--data", data, "--owl"}, "--owl has no effect"},
      {{"--criterion", "activation_norm", "--sparsity", "50", "--data", data, "--loss", "mse"},
       "--loss has no effect: the criterion does not look at gradients"},
      {{"--criterion", "snip", "--sparsity", "50", "--data", data, "--loss", "hinge"},
       "--loss: expected cross-entropy or mse, found 'hinge'"},
      {{"--criterion", "snip", "--sparsity", "50", "--data", data}, "expected a target for the loss, found none"},
      {{"--criterion", "wanda", "--sparsity", "50", "--data", data, "--granularity", "row"},
       "it chooses single weights, layer by layer"},
      {{"--criterion", "wanda", "--sparsity", "50", "--data", problem.folder / "none.npy"}, "none.npy: cannot open"},
      {{"--criterion", "sparse_gpt", "--pattern", "4x4", "--sparsity", "50", "--data", data},
       "expected no pattern or N:M, found 4x4"},
      {{"--criterion", "wanda", "--pattern", "2:5", "--data", data}, "nothing to sparsify: all 3 layers stay dense"}};
  for (const auto& [arguments, expected] : cases) {
    const Outcome outcome = problem.sparsify(arguments);
    EXPECT_NE(outcome.code, 0) << expected;
    EXPECT_NE(outcome.err.find(expected), std::string::npos) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(problem.folder / "out.onnx"));
  }
}

}  // namespace
}  // namespace coppice::test
