#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "coppice/torch/evidence.hpp"
#include "coppice/torch/graph_module.hpp"

#include "pruning/prepared.hpp"

/// A network small enough to compute by hand: y = x A B with two hidden units, two samples, and the mean of y as loss.
///     A = 1 -2    B =  2     x = 1 0    hidden = 1 -2
///         3  4        -1         0 2             6  8
/// The gradient of A for a sample is x^T B^T, that of B is the hidden row.
namespace coppice {

inline pruning::Prepared two_layers() {
  graph::Builder b("two_layers");
  graph::ValueId x = b.input("x", graph::DType::float32, {{-1, "batch"}, {2, {}}});
  x = b.op("MatMul", {x, b.initializer("A", pruning::real({2, 2}, {1, -2, 3, 4}))}, {}, "first");
  x = b.op("MatMul", {x, b.initializer("B", pruning::real({2, 1}, {2, -1}))}, {}, "second");
  b.output(x, graph::DType::float32, {{-1, "batch"}, {1, {}}});
  return pruning::prepare(std::move(b).finish());
}

inline at::Tensor numbers(const std::vector<double>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kFloat).reshape(shape);
}

inline at::Tensor mean_loss(const std::vector<at::Tensor>& outputs, const at::Tensor&) {
  return outputs.at(0).mean();
}

inline Calibration two_samples() {
  const std::vector<Batch> batches{{{numbers({1, 0}, {1, 2})}, at::zeros({1})},
                                   {{numbers({0, 2}, {1, 2})}, at::zeros({1})}};
  return {.data = std::vector<Batch>(batches), .loss = mean_loss};
}

/// What the criterion gives along an axis of a constant; `initial` goes to add_initial().
inline std::vector<double> measured(const pruning::Prepared& prepared, const Criterion& criterion,
                                    const Calibration& calibration, std::string_view constant, int axis,
                                    const NamedTensors& initial = {}, std::span<const std::uint8_t> removed = {}) {
  GraphModule module(prepared.model);
  Evidence evidence = collect(module, prepared, criterion.options(), calibration);
  if (!initial.empty()) add_initial(evidence, initial);
  const auto measure = make_measure(criterion, prepared, removed, std::move(evidence));
  return measure({prepared.model.graph.find(constant), axis});
}

}  // namespace coppice
