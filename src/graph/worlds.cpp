#include "coppice/graph/infer.hpp"

namespace coppice::graph {

Worlds choose_worlds(const Model& model, const std::vector<std::pair<std::string, Shape>>& given) {
  Worlds out;
  for (ValueId id : model.graph.inputs) {
    const Value& value = model.graph.values[static_cast<std::size_t>(id)];
    if (value.initializer >= 0 || !value.shape) continue;
    Shape shape;
    for (const Dim& dim : *value.shape) {
      shape.push_back(dim.size < 0 ? 2 : dim.size);
      out.dynamic |= dim.size < 0;
    }
    for (const auto& [name, fixed] : given)
      if (name == value.name) shape = fixed;
    out.first.inputs.emplace_back(value.name, shape);
  }
  out.second = out.counting = out.first;
  return out;
}

}  // namespace coppice::graph
