#include "graph/control_flow_course.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "graph/ops/content.hpp"

namespace coppice::graph {
namespace {

constexpr std::int64_t largest_extent = 1 << 20;

// `world` with every dynamic extent changed.
template <class Change>
World changed(const Graph& graph, const World& world, Change change) {
  World out = world;
  for (auto& [name, shape] : out.inputs) {
    const ValueId id = graph.find(name);
    if (id == no_value || !graph.values[at(id)].shape) continue;
    const auto& declared = *graph.values[at(id)].shape;
    for (std::size_t d = 0; d < shape.size() && d < declared.size(); ++d)
      if (declared[d].size < 0) shape[d] = change(shape[d]);
  }
  return out;
}

std::optional<std::int64_t> number_of(const Fact& fact) {
  if (!fact.content || fact.content->ints.size() != 1 || !fact.content->known(0)) return std::nullopt;
  return fact.content->ints[0];
}

GraphPtr subgraph(const Node& node, std::string_view name) {
  const Attribute* attribute = node.find(name);
  const auto* graph = attribute ? std::get_if<GraphPtr>(&attribute->value) : nullptr;
  return graph ? *graph : nullptr;
}

// What a loop's body says of going on, given that it was told to run; nothing when that depends on what it computes.
std::optional<bool> goes_on(const Graph& graph, const Graph& body, const Witnesses& witnesses) {
  ValueId id = body.outputs[0];
  for (std::size_t hops = 0; hops <= body.nodes.size(); ++hops) {
    if (id == no_value) return std::nullopt;
    if (id == body.inputs[1]) return true;
    const Value& value = body.values[at(id)];
    std::optional<std::int64_t> number;
    if (value.captured) {
      number = witnesses.number(graph.find(value.name));
    } else if (const Tensor* tensor = body.constant(id)) {
      if (tensor->elements() == 1 && tensor::is_integer(tensor->dtype)) number = tensor::element_as_int(*tensor, 0);
    } else if (value.producer >= 0) {
      const Node& node = body.nodes[at(value.producer)];
      if (!node.is("Identity") && !node.is("Cast")) return std::nullopt;
      id = node.input(0);
      continue;
    }
    return number ? std::optional<bool>(*number != 0) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::int64_t> trips(const Graph& graph, const Node& node, const Graph& body, const Witnesses& witnesses) {
  const auto count = witnesses.number(node.input(0));
  const auto starts = node.input(1) == no_value ? std::int64_t{1} : witnesses.number(node.input(1));
  if ((count && *count <= 0) || (starts && *starts == 0)) return 0;
  if (!starts) return std::nullopt;
  const auto on = goes_on(graph, body, witnesses);
  if (node.input(0) == no_value) return on && !*on ? std::optional<std::int64_t>(1) : std::nullopt;
  if (!count || *count == 1) return count;
  if (!on) return std::nullopt;
  return *on ? *count : 1;
}

}  // namespace

Witnesses::Witnesses(const Model& model, const Worlds& worlds) : model_(model) {
  std::vector<World> all{worlds.first};
  if (worlds.dynamic) {
    must_know_ = 2;
    all.push_back(worlds.second);
    all.push_back(worlds.counting);
    // The usual turning points: a batch of one, and lengths beyond a limit.
    all.push_back(changed(model.graph, worlds.first, [](std::int64_t) { return std::int64_t{1}; }));
    all.push_back(changed(model.graph, worlds.first,
                          [](std::int64_t extent) { return std::min(largest_extent, std::max(extent, extent * 8)); }));
  }
  for (const World& world : all) facts_.push_back(initial_facts(model, model.graph, world));
}

void Witnesses::learn(const Node& node) {
  const Attribute* value = node.is("Constant") ? node.find("value") : nullptr;
  if (const Tensor* tensor = value ? std::get_if<Tensor>(&value->value) : nullptr) {
    if (node.output(0) != no_value) learn_constant(node.outputs[0], *tensor);
    return;
  }
  for (Facts& facts : facts_) {
    facts.resize(model_.graph.values.size());
    try {
      infer_node(model_, model_.graph, node, facts);
    } catch (const Error&) {
      for (ValueId output : node.outputs)
        if (output != no_value) facts[at(output)] = {};
    }
  }
}

void Witnesses::learn_constant(ValueId value, const Tensor& tensor) {
  for (Facts& facts : facts_) {
    facts.resize(model_.graph.values.size());
    facts[at(value)] = {tensor.dtype, true, tensor.shape, ops::content_of(tensor)};
  }
}

std::optional<std::int64_t> Witnesses::number(ValueId value) const {
  if (value == no_value) return std::nullopt;
  std::optional<std::int64_t> out;
  for (std::size_t w = 0; w < facts_.size(); ++w) {
    const auto here = at(value) < facts_[w].size() ? number_of(facts_[w][at(value)]) : std::nullopt;
    if (!here && w < must_know_) return std::nullopt;
    if (here && out && *here != *out) return std::nullopt;
    if (here) out = here;
  }
  return out;
}

Fact Witnesses::common(ValueId value) const {
  if (value == no_value || at(value) >= facts_[0].size()) return {};
  Fact out = facts_[0][at(value)];
  for (std::size_t w = 1; w < facts_.size(); ++w) {
    static const Fact none;
    const Fact& here = at(value) < facts_[w].size() ? facts_[w][at(value)] : none;
    const bool must_know = w < must_know_;
    if (must_know ? here.ranked != out.ranked || here.rank() != out.rank() : here.ranked && here.rank() != out.rank())
      return {};
    for (std::size_t d = 0; d < here.rank(); ++d)
      if (here.shape[d] != out.shape[d] && (must_know || here.shape[d] >= 0)) out.shape[d] = -1;
    if (!out.content || (!must_know && !here.content)) continue;
    if (!here.content || here.content->ints != out.content->ints || here.content->unknown != out.content->unknown)
      out.content = nullptr;
  }
  return out;
}

std::optional<Course> course_of(const Graph& graph, const Node& node, const Witnesses& witnesses) {
  if (node.is("If")) {
    const auto condition = witnesses.number(node.input(0));
    if (!condition) return std::nullopt;
    GraphPtr branch = subgraph(node, *condition != 0 ? "then_branch" : "else_branch");
    if (!branch || !branch->inputs.empty() || branch->outputs.size() < node.outputs.size()) return std::nullopt;
    return Course{std::move(branch), 1};
  }
  GraphPtr body = node.is("Loop") ? subgraph(node, "body") : nullptr;
  if (!body || node.inputs.size() < 2 || body->inputs.size() != node.inputs.size() || body->outputs.empty())
    return std::nullopt;
  const std::size_t carried = node.inputs.size() - 2;
  if (body->outputs.size() < 1 + carried || node.outputs.size() > body->outputs.size() - 1) return std::nullopt;
  if (std::any_of(node.inputs.begin() + 2, node.inputs.end(), [](ValueId id) { return id == no_value; }))
    return std::nullopt;
  const auto times = trips(graph, node, *body, witnesses);
  if (!times) return std::nullopt;
  return Course{std::move(body), *times};
}

bool is_control_flow(const Node& node) {
  return node.is("If") || node.is("Loop");
}

}  // namespace coppice::graph
