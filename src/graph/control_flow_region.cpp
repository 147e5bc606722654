#include "graph/control_flow_region.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"

#include "graph/function_table.hpp"

namespace coppice::graph {
namespace {

constexpr ValueId unset = -2;
constexpr std::size_t bytes_of_a_node = 1024;

// Rough size of what a copy of a node does not share with the original.
std::size_t bytes_of(const Node& node) {
  std::size_t out = 4 * (node.inputs.size() + node.outputs.size()) + node.extra.size();
  for (const Attribute& attribute : node.attributes) {
    out += attribute.extra.size();
    if (const auto* text = std::get_if<std::string>(&attribute.value)) out += text->size();
    if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&attribute.value)) out += ints->size() * 8;
    if (const auto* floats = std::get_if<std::vector<float>>(&attribute.value)) out += floats->size() * 4;
    if (const auto* tensors = std::get_if<std::vector<Tensor>>(&attribute.value)) out += tensors->size() * 64;
    if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute.value))
      for (const std::string& text : *texts) out += 32 + text.size();
  }
  return out;
}

/// Copies the nodes of a body into the outer graph, once or several times.
class Region {
 public:
  Region(Model& model, Names& names, const Node& node, const Graph& body)
      : model_(model),
        graph_(model.graph),
        names_(names),
        node_(node),
        body_(body),
        stem_(node.name.empty() ? node.op : node.name),
        lasting_(body.values.size(), unset) {}

  ResolvedRegion branch() {
    SubgraphCloner cloner(names_, stem_ + "/");
    add_initializers(cloner);
    run(cloner, {}, results(0, node_.outputs.size(), 0));
    return finish();
  }

  ResolvedRegion loop(std::int64_t times) {
    const std::size_t carried = node_.inputs.size() - 2;
    std::vector<ValueId> state(node_.inputs.begin() + 2, node_.inputs.end());
    std::vector<std::vector<ValueId>> rows(node_.outputs.size());
    SubgraphCloner shared(names_, stem_ + "/");
    if (times > 0) add_initializers(shared);
    const auto readers = body_.consumers();
    const auto is_read = [&](ValueId id) { return body_.values[at(id)].is_output || !readers[at(id)].empty(); };
    if (times > 0 && is_read(body_.inputs[1])) lasting_[at(body_.inputs[1])] = counter(shared, body_.inputs[1], 1);
    for (std::int64_t i = 0; i < times; ++i) {
      SubgraphCloner cloner(names_, stem_ + "/" + std::to_string(i) + "/");
      std::vector<Pair> inputs;
      if (is_read(body_.inputs[0])) inputs.emplace_back(body_.inputs[0], counter(cloner, body_.inputs[0], i));
      for (std::size_t k = 0; k < carried; ++k) inputs.emplace_back(body_.inputs[k + 2], state[k]);
      run(cloner, inputs, i + 1 < times ? std::vector<Pair>() : results(0, carried, 1));
      for (std::size_t k = 0; k < carried; ++k) state[k] = id_of(cloner, body_.outputs[k + 1]);
      for (std::size_t k = carried; k < node_.outputs.size(); ++k)
        if (node_.outputs[k] != no_value) rows[k].push_back(row(cloner, id_of(cloner, body_.outputs[k + 1]), k, times));
    }
    for (std::size_t k = 0; times == 0 && k < node_.outputs.size(); ++k)
      if (node_.outputs[k] != no_value) emit("Identity", {state[k]}, node_.outputs[k]);
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (rows[k].size() > 1) emit("Concat", std::move(rows[k]), node_.outputs[k], {{"axis", std::int64_t{0}, {}, {}}});
    return finish();
  }

 private:
  using Pair = std::pair<ValueId, ValueId>;  // a value of the body and what it is in the outer graph

  ResolvedRegion finish() {
    region_.node = node_;
    return std::move(region_);
  }

  std::vector<Pair> results(std::size_t begin, std::size_t end, std::size_t shift) const {
    std::vector<Pair> out;
    for (std::size_t i = begin; i < std::min(end, node_.outputs.size()); ++i)
      if (node_.outputs[i] != no_value) out.emplace_back(body_.outputs[i + shift], node_.outputs[i]);
    return out;
  }

  ValueId add_initializer(const std::string& name, Initializer initializer) {
    const bool external = initializer.external;
    const ValueId id = graph_.add_initializer(name, std::move(initializer.tensor));
    Initializer& added = graph_.initializers.back();
    added.external = external;
    added.extra = std::move(initializer.extra);
    region_.initializers.push_back(added);
    return id;
  }

  // All iterations read the same weights.
  void add_initializers(SubgraphCloner& cloner) {
    for (const Initializer& initializer : body_.initializers)
      lasting_[at(initializer.value)] =
          add_initializer(cloner.fresh(std::string(body_.name_of(initializer.value))), initializer);
  }

  // The iteration number or the condition, in the shape in which the body declares it.
  ValueId counter(SubgraphCloner& cloner, ValueId input, std::int64_t number) {
    const Value& value = body_.values[at(input)];
    const Shape shape(value.shape && value.shape->size() == 1 ? 1 : 0, 1);
    const DType dtype = input == body_.inputs[0] ? DType::int64 : DType::boolean;
    return add_initializer(cloner.fresh(value.name),
                           {.tensor = tensor::from_ints(dtype, shape, std::vector<std::int64_t>{number})});
  }

  ValueId id_of(SubgraphCloner& cloner, ValueId inner) {
    if (inner == no_value) return no_value;
    ValueId& id = ids_[at(inner)];
    if (id != unset) return id;
    const Value& value = body_.values[at(inner)];
    if (value.captured) return id = graph_.find(value.name);
    id = graph_.value(cloner.fresh(value.name));
    Value& made = graph_.values[at(id)];
    made.dtype = value.dtype;
    made.shape = value.shape;
    made.declared = value.declared || value.is_output;
    made.extra = value.extra;
    return id;
  }

  void run(SubgraphCloner& cloner, const std::vector<Pair>& inputs, const std::vector<Pair>& wanted) {
    ids_ = lasting_;
    for (const auto& [inner, outer] : inputs) ids_[at(inner)] = outer;
    for (const auto& [inner, outer] : wanted)
      if (ids_[at(inner)] == unset && body_.values[at(inner)].producer >= 0) ids_[at(inner)] = outer;
    for (const Node& node : body_.nodes) {
      const bool constant = node.is("Constant") && node.outputs.size() == 1;
      if (constant && lasting_[at(node.outputs[0])] != unset) continue;
      copy(cloner, node);
      // A weight stays one weight in all iterations.
      if (constant) lasting_[at(node.outputs[0])] = ids_[at(node.outputs[0])];
    }
    for (const auto& [inner, outer] : wanted)
      if (const ValueId id = id_of(cloner, inner); id != outer) emit("Identity", {id}, outer);
  }

  void copy(SubgraphCloner& cloner, const Node& node) {
    Node made{.op = node.op,
              .domain = node.domain,
              .name = node.name.empty() ? std::string() : cloner.prefix() + node.name,
              .overload = node.overload,
              .extra = node.extra};
    for (ValueId id : node.inputs) made.inputs.push_back(id_of(cloner, id));
    for (ValueId id : node.outputs) made.outputs.push_back(id_of(cloner, id));
    Scope scope;
    for (const std::string& name : captured_names(node))
      if (const ValueId id = body_.find(name); id != no_value)
        scope.renamed.emplace(name, std::string(graph_.name_of(id_of(cloner, id))));
    made.attributes = cloner.attributes(node, scope);
    region_.nodes.push_back(std::move(made));
  }

  // One iteration's part of a stacked result.
  ValueId row(SubgraphCloner& cloner, ValueId value, std::size_t output, std::int64_t times) {
    const ValueId out = times == 1 ? node_.outputs[output] : graph_.value(cloner.fresh("row"));
    if (model_.opset() < 13) {
      emit("Unsqueeze", {value}, out, {{"axes", std::vector<std::int64_t>{0}, {}, {}}});
      return out;
    }
    if (axes_ == no_value)
      axes_ = add_initializer(names_.fresh(stem_ + "/axes"), {.tensor = Tensor::ints(std::vector<std::int64_t>{0})});
    emit("Unsqueeze", {value, axes_}, out);
    return out;
  }

  void emit(std::string_view op, std::vector<ValueId> inputs, ValueId output, std::vector<Attribute> attributes = {}) {
    region_.nodes.push_back({.op = std::string(op),
                             .name = stem_ + "/" + std::string(op),
                             .inputs = std::move(inputs),
                             .outputs = {output},
                             .attributes = std::move(attributes)});
  }

  Model& model_;
  Graph& graph_;
  Names& names_;
  const Node& node_;
  const Graph& body_;
  std::string stem_;
  std::vector<ValueId> lasting_;  // of the values that are the same in all iterations
  std::vector<ValueId> ids_;      // of the values of the iteration in hand
  ValueId axes_ = no_value;
  ResolvedRegion region_;
};

// Whether the body can be taken apart: what it captures is there, and every node computes something.
bool is_sound(const Graph& graph, const Graph& body) {
  for (const Value& value : body.values)
    if (value.captured && graph.find(value.name) == no_value) return false;
  for (const Initializer& initializer : body.initializers)
    if (body.values[at(initializer.value)].is_input) return false;
  const auto given = [](ValueId id) { return id != no_value; };
  if (!std::all_of(body.outputs.begin(), body.outputs.end(), given)) return false;
  return std::all_of(body.nodes.begin(), body.nodes.end(), [&](const Node& node) {
    return std::any_of(node.outputs.begin(), node.outputs.end(), given) &&
           std::all_of(node.attributes.begin(), node.attributes.end(),
                       [](const Attribute& attribute) { return attribute.ref.empty(); });
  });
}

}  // namespace

std::int64_t weight_of(const Graph& body) {
  std::int64_t out = static_cast<std::int64_t>(body.outputs.size());
  auto count = [&](const Node& node) { out += 1 + static_cast<std::int64_t>(bytes_of(node) / bytes_of_a_node); };
  for_each_node(body, count);
  return out;
}

std::optional<ResolvedRegion> resolve_node(Model& model, Names& names, const Node& node, const Course& course) {
  const auto given = [](ValueId id) { return id != no_value; };
  if (!std::any_of(node.outputs.begin(), node.outputs.end(), given)) return std::nullopt;
  if (!is_sound(model.graph, *course.body)) return std::nullopt;
  if (node.is("If")) return Region(model, names, node, *course.body).branch();
  const auto stacked = static_cast<std::ptrdiff_t>(std::min(node.inputs.size() - 2, node.outputs.size()));
  if (course.times == 0 && std::any_of(node.outputs.begin() + stacked, node.outputs.end(), given)) return std::nullopt;
  return Region(model, names, node, *course.body).loop(course.times);
}

}  // namespace coppice::graph
