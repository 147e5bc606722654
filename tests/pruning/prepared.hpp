#pragma once
#include "coppice/graph/builder.hpp"
#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// A float tensor of `values`.
inline graph::Tensor real(graph::Shape shape, const std::vector<float>& values) {
  return graph::Tensor::of<float>(graph::DType::float32, std::move(shape), values);
}

/// A float tensor of `value`s.
inline graph::Tensor filled(graph::Shape shape, float value = 1) {
  const std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)), value);
  return real(std::move(shape), values);
}

/// Linear layers without biases, one after the other, named "fc0", "fc1"...; the weights are [inputs, outputs].
inline Prepared chain(const std::vector<graph::Tensor>& weights) {
  graph::Builder b("chain");
  graph::ValueId x = b.input("x", graph::DType::float32, {{1, ""}, {weights[0].shape[0], ""}});
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string name = "fc" + std::to_string(i);
    x = b.op("MatMul", {x, b.initializer(name + ".weight", weights[i])}, {}, name);
  }
  b.output(x, graph::DType::float32, {{1, ""}, {weights.back().shape[1], ""}});
  return prepare(std::move(b).finish());
}

/// Names of units that are gone are unwieldy; what a test wants is the indices along an axis of a constant.
inline std::vector<std::int64_t> kept(const Prepared& prepared, std::string_view constant, std::size_t axis,
                                      const std::vector<std::uint8_t>& removed) {
  return prepared.couplings.kept(prepared.couplings.axes(prepared.model.graph.find(constant))[axis], removed);
}

}  // namespace coppice::pruning
