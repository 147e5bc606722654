#include "torch/kernels/bodies.hpp"

#include <algorithm>
#include <variant>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

namespace coppice::executor {
namespace {

// Stands for what an output would have been; an extent that is not declared counts as 0.
at::Tensor nothing(const graph::Value& value) {
  std::vector<std::int64_t> shape;
  if (value.shape)
    for (const graph::Dim& dim : *value.shape) shape.push_back(std::max(dim.size, std::int64_t{0}));
  const bool known = value.dtype != tensor::DType::undefined && value.dtype != tensor::DType::string;
  return at::empty({}, at::TensorOptions(known ? scalar_type(value.dtype) : at::kFloat)).expand(shape);
}

}  // namespace

Body::Body(const Build& build, std::string_view attribute) : program_(build.body(attribute)) {
  const graph::Graph& graph = *std::get<graph::GraphPtr>(build.node().find(attribute)->value);
  for (const graph::ValueId output : graph.outputs) empty_.push_back(nothing(graph.values[at(output)]));
}

std::vector<at::Tensor> Body::run(Call& call, std::vector<at::Tensor> inputs) const {
  std::vector<at::Tensor> out = call.run(*program_, std::move(inputs));
  for (std::size_t i = 0; i < out.size(); ++i)
    if (!out[i].defined()) throw Error("output " + std::to_string(i) + " of the body has no value");
  return out;
}

at::Tensor Body::stack(const std::vector<at::Tensor>& rounds, std::size_t i, std::int64_t axis) const {
  if (!rounds.empty()) return at::stack(rounds, axis);
  std::vector<std::int64_t> shape = empty_.at(i).sizes().vec();
  shape.insert(shape.begin() + at::maybe_wrap_dim(axis, empty_[i].dim() + 1), 0);
  return at::empty(shape, empty_[i].options());
}

}  // namespace coppice::executor
