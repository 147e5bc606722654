#include "coppice/analysis/groups.hpp"

namespace coppice::analysis {

std::vector<GroupRow> groups(const pruning::Prepared& prepared) {
  const graph::Graph& graph = prepared.model.graph;
  std::vector<GroupRow> out;
  for (const coupling::Group& group : prepared.couplings.groups()) {
    if (group.units.empty()) continue;
    GroupRow row{static_cast<std::int64_t>(group.units.size()), group.locked, {}};
    for (const coupling::Site& site : group.sites) {
      const tensor::Tensor* tensor = graph.constant(site.constant);
      const auto axis = static_cast<std::size_t>(site.axis);
      row.members.push_back({std::string(graph.name_of(site.constant)), site.axis,
                             tensor && axis < tensor->shape.size() ? tensor->shape[axis] : 0});
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace coppice::analysis
