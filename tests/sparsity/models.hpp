#pragma once
#include <random>

#include "coppice/graph/builder.hpp"

namespace coppice::sparsity {

using tensor::DType;
using tensor::Tensor;

inline Tensor drawn(tensor::Shape shape, unsigned seed, DType dtype = DType::float32) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (double& value : values) value = normal(random);
  return tensor::from_doubles(dtype, std::move(shape), values);
}

/// Weights in every position: a convolution [6,3,3,3], a transposed one [6,4,2,2], a matrix [64,8] behind MatMul, the
/// same way round behind a Transpose, and Gemm with [5,8] as the output layer; biases wherever they can be.
inline graph::Model all_kinds() {
  graph::Builder b("kinds");
  const auto x = b.input("x", DType::float32, {{1}, {3}, {4}, {4}});
  auto y =
      b.op("Conv", {x, b.initializer("conv.weight", drawn({6, 3, 3, 3}, 1)), b.initializer("conv.bias", drawn({6}, 2))},
           {graph::attr("pads", std::vector<std::int64_t>{1, 1, 1, 1})}, "conv");
  y = b.op("ConvTranspose", {y, b.initializer("up.weight", drawn({6, 4, 2, 2}, 3))},
           {graph::attr("strides", std::vector<std::int64_t>{2, 2})}, "up");
  y = b.op("Reshape", {y, b.ints({4, 64})}, {}, "flat");
  y = b.op("MatMul", {y, b.initializer("mul.weight", drawn({64, 8}, 4))}, {}, "mul");
  const auto turned = b.op("Transpose", {b.initializer("turn.weight", drawn({8, 8}, 5))}, {}, "turn");
  y = b.op("MatMul", {y, turned}, {}, "turned");
  y = b.op("Add", {y, b.initializer("turn.bias", drawn({8}, 6))}, {}, "add");
  y = b.op("Gemm", {y, b.initializer("head.weight", drawn({5, 8}, 7)), b.initializer("head.bias", drawn({5}, 8))},
           {graph::attr("transB", 1)}, "head");
  y = b.op("Softmax", {y}, {}, "softmax");
  b.output(y, DType::float32, {{4}, {5}});
  return std::move(b).finish();
}

/// One Gemm with transB and this [O,I] weight.
inline graph::Model one_matrix(tensor::Shape shape, const std::vector<float>& values) {
  graph::Builder b("one");
  const std::int64_t outputs = shape[0], inputs = shape[1];
  const auto x = b.input("x", DType::float32, {{1}, {inputs}});
  const auto w = b.initializer("fc.weight", Tensor::of<float>(DType::float32, std::move(shape), values));
  b.output(b.op("Gemm", {x, w}, {graph::attr("transB", 1)}, "fc"), DType::float32, {{1}, {outputs}});
  return std::move(b).finish();
}

inline const Tensor& weight(const graph::Model& model, std::string_view name) {
  return *model.graph.constant(model.graph.find(name));
}

}  // namespace coppice::sparsity
