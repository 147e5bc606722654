#pragma once
#include "coppice/graph/builder.hpp"
#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// A static model made ready with the steps that every model takes, without control flow.
inline Prepared ready(graph::Model model) {
  Prepared out;
  out.untied = graph::untie(model.graph);
  model.graph.sort();
  out.worlds = graph::choose_worlds(model, {});
  out.first = graph::infer_tolerant(model, model.graph, out.worlds.first, &out.problems);
  out.second = graph::infer_tolerant(model, model.graph, out.worlds.second, nullptr);
  out.counting = graph::infer_tolerant(model, model.graph, out.worlds.counting, nullptr);
  out.roles = graph::constant_roles(model.graph);
  out.couplings = coupling::couple(model, out.first, {});
  out.model = std::move(model);
  return out;
}

/// A float tensor of `values`.
inline graph::Tensor real(graph::Shape shape, const std::vector<float>& values) {
  return graph::Tensor::of<float>(graph::DType::float32, std::move(shape), values);
}

/// A float tensor of `value`s.
inline graph::Tensor filled(graph::Shape shape, float value = 1) {
  const std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)), value);
  return real(std::move(shape), values);
}

}  // namespace coppice::pruning
