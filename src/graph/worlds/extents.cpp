#include "graph/worlds/extents.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace coppice::graph::worlds {
namespace {

// The first extent of a role, and the step to the next one: images stay multiples of 32, as strides ask.
std::pair<std::int64_t, std::int64_t> base_and_step(Role role, const Recipe& recipe) {
  switch (role) {
    case Role::batch:
      return {recipe.batch, 2};
    case Role::height:
      return {recipe.height, 64};
    case Role::width:
      return {recipe.width, 64};
    case Role::depth:
      return {recipe.depth, 8};
    case Role::sequence:
    case Role::total:
      return {recipe.sequence, 4};
    case Role::past:
      return {recipe.past, 4};
    case Role::other:
      break;
  }
  return {recipe.other, 4};
}

}  // namespace

std::vector<std::int64_t> extents(const Inputs& inputs, const Recipe& recipe, const std::vector<std::int64_t>& fixed,
                                  const std::vector<std::int64_t>* avoid) {
  const std::vector<DynamicDim>& dims = inputs.dims;
  std::vector<std::int64_t> out(dims.size(), -1);
  std::vector<std::pair<std::string, std::int64_t>> known;
  std::unordered_set<std::int64_t> taken;
  std::unordered_map<int, std::int64_t> next;  // per role, where distinct extents go on
  std::int64_t past = -1, sequence = -1;
  const auto settle = [&](std::size_t i, std::int64_t extent) {
    out[i] = extent;
    taken.insert(extent);
    if (!dims[i].name.empty()) known.emplace_back(dims[i].name, extent);
    if (dims[i].role == Role::past && past < 0) past = extent;
    if (dims[i].role == Role::sequence && sequence < 0) sequence = extent;
  };
  const auto choose = [&](std::size_t i) {
    const auto [base, step] = base_and_step(dims[i].role, recipe);
    const int role = static_cast<int>(dims[i].role);
    std::int64_t extent = recipe.by_role ? base : next.try_emplace(role, base).first->second;
    const auto clashes = [&] {
      return (!recipe.by_role && taken.contains(extent)) || (avoid && (*avoid)[i] == extent);
    };
    while (clashes()) extent += step;
    next[role] = extent;
    return extent;
  };
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (fixed[i] >= 0) settle(i, fixed[i]);
  const auto compound = [&](std::size_t i) { return dims[i].name.find_first_of("+-*") != std::string::npos; };
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (out[i] < 0 && !compound(i) && dims[i].role != Role::total) settle(i, choose(i));
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (out[i] >= 0) continue;
    const auto value = evaluate(dims[i].name, known);
    if (value)
      out[i] = *value;
    else if (dims[i].role == Role::total && recipe.total_is_sum && past >= 0 && sequence >= 0)
      out[i] = past + sequence;
    else if (dims[i].role == Role::total && recipe.by_role && sequence >= 0)
      out[i] = sequence;
    else
      settle(i, choose(i));
  }
  return out;
}

World world_of(const Graph& graph, const Inputs& inputs, const std::vector<std::int64_t>& extents) {
  World out;
  for (ValueId id : inputs.values) {
    const Value& value = graph.values[static_cast<std::size_t>(id)];
    Shape shape;
    for (const Dim& dim : *value.shape) shape.push_back(dim.size);
    out.inputs.emplace_back(value.name, std::move(shape));
  }
  for (std::size_t i = 0; i < inputs.dims.size(); ++i)
    for (const auto& [input, axis] : inputs.dims[i].places) out.inputs[input].second[axis] = extents[i];
  return out;
}

}  // namespace coppice::graph::worlds
