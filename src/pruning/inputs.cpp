#include "pruning/inputs.hpp"

#include <algorithm>

namespace coppice::pruning {

void list_initializers(graph::Model& model, const graph::Graph& before) {
  graph::Graph& g = model.graph;
  g.reindex();
  std::erase_if(g.inputs, [&](graph::ValueId v) {
    const auto at = static_cast<std::size_t>(v);
    return at < before.values.size() && before.values[at].initializer >= 0 && g.values[at].initializer < 0;
  });
  if (model.ir_version > 0 && model.ir_version < 4) {
    for (const graph::Initializer& initializer : g.initializers) {
      graph::Value& value = g.values[static_cast<std::size_t>(initializer.value)];
      if (value.is_input) continue;
      value.dtype = initializer.tensor.dtype;
      value.shape.emplace();
      for (std::int64_t extent : initializer.tensor.shape) value.shape->push_back({extent, {}});
      g.inputs.push_back(initializer.value);
    }
  }
  g.reindex();
}

}  // namespace coppice::pruning
