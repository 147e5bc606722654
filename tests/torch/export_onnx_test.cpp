#include "coppice/torch/export_onnx.hpp"

#include <filesystem>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "support/ort_referee.hpp"
#include "support/scratch.hpp"
#include "torch_nets.hpp"
#include "trace_cases.hpp"

namespace coppice::test {
namespace {

using namespace torch::nn;
using In = const std::vector<at::Tensor>&;

// Exported on the first inputs, run on the second ones.
void expect_any_batch(const Callable& module, In inputs, In others, std::int64_t axis = 0) {
  TraceReport report;
  const graph::Model model = onnx_model(module, inputs, {.trace = {}, .dynamic_batch = true, .batch_axis = axis});
  module.module().eval();
  const at::NoGradGuard no_gradients;
  run_in_referee(model, others, module(others), report);
  EXPECT_EQ(report.runtime, "");
  EXPECT_LE(report.rel_err, 1e-5);
  EXPECT_GT(report.scale, 0);
  const auto& shape = *model.graph.values[static_cast<std::size_t>(model.graph.inputs[0])].shape;
  EXPECT_EQ(shape[static_cast<std::size_t>(axis)].size, -1);
  EXPECT_EQ(shape[static_cast<std::size_t>(axis)].param, "batch");
}

std::string refusal(const Callable& module, In inputs, const ExportOptions& options) {
  try {
    onnx_model(module, inputs, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ExportOnnx, WritesAFileThatReadsBack) {
  const Scratch folder;
  const std::string path = folder / "net.onnx";
  const ResNet18 net(10);
  export_onnx(net, {random({1, 3, 32, 32})}, path);
  const graph::Model model = formats::read_onnx(path);
  EXPECT_EQ(model.opset(), 17);
  EXPECT_NE(model.graph.find("layer4.1.bn2.running_var"), graph::no_value);
}

TEST(ExportOnnx, LetsTheBatchVary) {
  COPPICE_NEEDS_REFEREE();
  at::manual_seed(1);
  expect_any_batch(ResNet18(10), {random({2, 3, 32, 32})}, {random({5, 3, 32, 32})});
  const auto heads = function([](In in) {
    const std::int64_t batch = in[0].size(0);
    const at::Tensor y = in[0].view({batch, 3, 2, 2}).transpose(1, 2).reshape({batch * 2, 3, 2});
    return y + at::ones({batch * 2, 3, 2}) + at::zeros({1, 3, 2}).expand({batch * 2, 3, 2});
  });
  expect_any_batch(heads, {random({2, 3, 4})}, {random({5, 3, 4})});
}

TEST(ExportOnnx, LetsTheBatchOfSequencesVary) {
  COPPICE_NEEDS_REFEREE();
  at::manual_seed(2);
  const TransformerEncoderLayer layer(TransformerEncoderLayerOptions(8, 2).dim_feedforward(12));
  expect_any_batch(layer, {random({5, 2, 8})}, {random({5, 7, 8})}, 1);
  expect_any_batch(LSTM(LSTMOptions(4, 6).num_layers(2).bidirectional(true)), {random({5, 2, 4})}, {random({5, 3, 4})},
                   1);
}

TEST(ExportOnnx, NamesWhatStandsInTheWay) {
  const ExportOptions any{.trace = {}, .dynamic_batch = true, .batch_axis = 0};
  const auto table = function([](In in) { return in[0] + at::arange(in[0].size(0)).unsqueeze(1); });
  EXPECT_NE(refusal(table, {random({2, 3})}, any).find("depends on the size of the batch"), std::string::npos);
  const auto odd = function([](In in) { return in[0].new_zeros({1 + in[0].size(0)}) + in[0].sum(); });
  EXPECT_NE(refusal(odd, {random({2, 3})}, any).find("ConstantOfShape \"filled\": extent 0 depends on"),
            std::string::npos);
  EXPECT_NE(refusal(function([](In in) { return in[0].sum(); }), {at::ones({})}, any).find("no batch along its axis 0"),
            std::string::npos);
}

TEST(ExportOnnx, ListsOperatorsThatOnnxDoesNotHave) {
  const Scratch folder;
  const auto net = function([](In in) {
    const at::Tensor y = at::digamma(in[0]);
    return y + at::polygamma(2, in[0]);
  });
  try {
    export_onnx(net, {random({2, 3})}, folder / "net.onnx");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "no ONNX operators stand for: aten.digamma \"digamma\", aten.polygamma \"polygamma\"");
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "net.onnx"));
}

}  // namespace
}  // namespace coppice::test
