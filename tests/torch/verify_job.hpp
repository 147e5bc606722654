#pragma once
#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/torch/verify.hpp"
#include "coppice/zoo/zoo.hpp"

/// A cut to verify, and ways to spoil it.
namespace coppice::verify_job {

struct Job {
  pruning::Prepared prepared;
  std::vector<std::uint8_t> removed;
  graph::Model pruned;

  Verification verify(const VerifyOptions& options = {.samples = 1}) const {
    return coppice::verify(prepared, removed, pruned, options);
  }
};

inline std::vector<std::uint8_t> choose(pruning::Prepared& prepared, std::uint64_t seed = 5) {
  pruning::SelectOptions options;
  options.ratio = 0.5;
  options.criterion = importance::Criterion::random;
  options.seed = seed;
  return pruning::select(prepared, options).removed;
}

/// Half of every group gone, drawn at random.
inline Job job(graph::Model model) {
  Job out{pruning::prepare(std::move(model)), {}, {}};
  out.removed = choose(out.prepared);
  out.pruned = pruning::cut(out.prepared, out.removed);
  return out;
}

/// The same for a zoo model.
inline Job job(const std::string& name) {
  return job(zoo::build(name, 1, {.image_side = 32, .lively = true}));
}

/// Applies `change` to every element of a constant.
template <class Change>
void edit(graph::Model& model, std::string_view name, Change change) {
  const graph::ValueId id = model.graph.find(name);
  const tensor::Tensor old = *model.graph.constant(id);
  std::vector<double> values(static_cast<std::size_t>(old.elements()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = change(tensor::element_as_double(old, static_cast<std::int64_t>(i)));
  model.graph.set_constant(id, tensor::from_doubles(old.dtype, old.shape, values));
}

/// The node of an operator whose name is `name`.
inline graph::Node& node(graph::Model& model, std::string_view name) {
  return *std::find_if(model.graph.nodes.begin(), model.graph.nodes.end(),
                       [&](const graph::Node& n) { return n.name == name; });
}

}  // namespace coppice::verify_job
