#include "torch/verify/weights.hpp"

#include <algorithm>

#include "coppice/base/error.hpp"
#include "coppice/graph/parameters.hpp"
#include "coppice/pruning/plan.hpp"

namespace coppice::verifying {
namespace {

using graph::ValueId;
using tensor::Tensor;

const Tensor* constant(const graph::Graph& graph, std::string_view name) {
  const ValueId id = graph.find(name);
  return id == graph::no_value ? nullptr : graph.constant(id);
}

bool fits(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape;
}

// Bytes that wait to be made are made for this alone.
bool same_bytes(const Tensor& a, const Tensor& b) {
  if (a.strings || b.strings) return a.strings && b.strings && *a.strings == *b.strings;
  if (a.bytes.same_place(b.bytes)) return true;
  const tensor::Bytes x = a.bytes.now(), y = b.bytes.now();
  return x.size() == y.size() && std::equal(x.data(), x.data() + x.size(), y.data());
}

std::string text(const Tensor& t) {
  return std::string(tensor::name(t.dtype)) + " " + tensor::to_string(t.shape);
}

std::string misfit(std::string_view name, const Tensor& expected, const Tensor& found) {
  return "\"" + std::string(name) + "\": expected " + text(expected) + ", found " + text(found);
}

template <class Visit>
void each_constant(const graph::Graph& graph, Visit visit) {
  const std::vector<graph::Role> roles = graph::constant_roles(graph);
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (const Tensor* tensor = graph.constant(static_cast<ValueId>(v)))
      visit(graph.values[v].name, *tensor, roles[v] != graph::Role::none);
}

}  // namespace

Likeness liken(const graph::Model& expected, const graph::Model& found) {
  Likeness out;
  out.same_structure = pruning::fingerprint(expected) == pruning::fingerprint(found);
  each_constant(expected.graph, [&](const std::string& name, const Tensor& tensor, bool weight) {
    const Tensor* other = constant(found.graph, name);
    if (!other || !fits(tensor, *other)) {
      out.same_structure = false;
      if (other && weight) out.misfits.push_back(misfit(name, tensor, *other));
    } else if (!same_bytes(tensor, *other)) {
      if (weight)
        out.changed.push_back(name);
      else
        out.same_structure = false;
    }
  });
  return out;
}

graph::Model with_weights(graph::Model model, const graph::Model& source) {
  each_constant(source.graph, [&](const std::string& name, const Tensor& tensor, bool weight) {
    if (!weight) return;
    const ValueId id = model.graph.find(name);
    const Tensor* old = id == graph::no_value ? nullptr : model.graph.constant(id);
    if (!old) throw Error("the pruned model has no constant \"" + name + "\"");
    if (!fits(tensor, *old)) throw Error("constant " + misfit(name, tensor, *old));
    model.graph.set_constant(id, tensor);
  });
  return model;
}

}  // namespace coppice::verifying
