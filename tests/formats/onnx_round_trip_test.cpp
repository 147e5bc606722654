#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/graph/builder.hpp"

namespace coppice::formats {
namespace {
using graph::DType;

tensor::Bytes bytes_of(const std::string& text) {
  return tensor::Bytes::copy(std::as_bytes(std::span(text)));
}

graph::Model small_model() {
  graph::Builder b("small", 17);
  const auto x = b.input("x", DType::float32, {{-1, "batch"}, {4, {}}});
  const std::vector<float> weights(12, 0.5f);
  const auto w = b.initializer("w", graph::Tensor::of<float>(DType::float32, {3, 4}, weights));
  const auto y = b.op("Gemm", {x, w}, {graph::attr("transB", 1)}, "fc");
  b.output(y, DType::float32, {{-1, "batch"}, {3, {}}});
  return std::move(b).finish();
}

TEST(OnnxRoundTrip, GivesBackTheModel) {
  const std::string file = write_onnx_bytes(small_model());
  const graph::Model model = read_onnx(bytes_of(file), "small.onnx");
  const graph::Graph& g = model.graph;
  EXPECT_EQ(g.name, "small");
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.source, "small.onnx");
  EXPECT_EQ(model.source_bytes, file.size());
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].op, "Gemm");
  EXPECT_EQ(g.nodes[0].name, "fc");
  EXPECT_EQ(g.nodes[0].int_or("transB", 0), 1);
  ASSERT_EQ(g.inputs.size(), 1u);
  const graph::Value& x = g.values[static_cast<std::size_t>(g.inputs[0])];
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.dtype, DType::float32);
  EXPECT_EQ(x.shape, (std::vector<graph::Dim>{{-1, "batch"}, {4, {}}}));
  const graph::Tensor* w = g.constant(g.find("w"));
  ASSERT_NE(w, nullptr);
  EXPECT_EQ(w->shape, (graph::Shape{3, 4}));
  EXPECT_EQ(tensor::element_as_double(*w, 11), 0.5);
  EXPECT_EQ(write_onnx_bytes(model), file);
}

}  // namespace
}  // namespace coppice::formats
