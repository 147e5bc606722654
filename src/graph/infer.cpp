#include "coppice/graph/infer.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"

namespace coppice::graph {
namespace {

// Shapes of absurd rank would cost more memory than the file that holds them once.
bool absurd(std::size_t rank) {
  return rank > static_cast<std::size_t>(ops::max_rank);
}

Fact constant_fact(const Tensor& tensor) {
  if (absurd(tensor.shape.size())) return {tensor.dtype, false, {}, nullptr};
  return {tensor.dtype, true, tensor.shape, ops::content_of(tensor)};
}

Fact declared_fact(const Value& value) {
  Fact out{value.dtype, value.shape && !absurd(value.shape->size()), {}, nullptr};
  if (!out.ranked) return out;
  out.shape.reserve(value.shape->size());
  for (const Dim& dim : *value.shape) out.shape.push_back(std::max<std::int64_t>(dim.size, -1));
  return out;
}

// What inference left open follows the declaration; what it found stays.
void fill_from_declaration(const Value& value, Fact& fact) {
  if (fact.dtype == DType::undefined) fact.dtype = value.dtype;
  if (!value.shape) return;
  if (!fact.ranked) {
    const DType dtype = fact.dtype;
    fact = declared_fact(value);
    fact.dtype = dtype;
    return;
  }
  if (fact.shape.size() != value.shape->size()) return;
  for (std::size_t i = 0; i < fact.shape.size(); ++i)
    if (fact.shape[i] < 0 && (*value.shape)[i].size >= 0) fact.shape[i] = (*value.shape)[i].size;
}

const Shape* world_shape(const World& world, std::size_t guess, const std::string& name) {
  if (guess < world.inputs.size() && world.inputs[guess].first == name) return &world.inputs[guess].second;
  for (const auto& [input, shape] : world.inputs)
    if (input == name) return &shape;
  return nullptr;
}

// Extents that stay open although all operands' shapes are known depend on data.
void choose_data_extents(const Node& node, Facts& facts) {
  for (ValueId input : node.inputs)
    if (input != no_value && !facts[at(input)].complete()) return;
  for (ValueId output : node.outputs) {
    if (output == no_value || !facts[at(output)].ranked) continue;
    for (std::int64_t& extent : facts[at(output)].shape) {
      if (extent >= 0) continue;
      extent = facts.data_extent;
      facts.data_dependent = true;
    }
  }
}

// Long contents that one inference may compute, in elements: enough for every model that computes indices, and a bound
// for a file whose every node computes as many as one may.
class ContentBudget {
 public:
  void charge(const Node& node, Facts& facts) {
    for (ValueId output : node.outputs) {
      if (output == no_value) continue;
      auto& content = facts[at(output)].content;
      if (!content || content.use_count() > 1) continue;  // shared with the fact that it came from
      const std::size_t elements = ops::size_of(*content);
      if (elements <= free_elements) continue;
      if (elements > left_)
        content = nullptr;
      else
        left_ -= elements;
    }
  }

 private:
  static constexpr std::size_t free_elements = 64;
  std::size_t left_ = std::size_t{1} << 22;
};

void forget_outputs(const Node& node, Facts& facts) {
  for (ValueId output : node.outputs)
    if (output != no_value) facts[at(output)] = {};
}

}  // namespace

bool Content::all_known() const {
  return std::all_of(unknown.begin(), unknown.end(), [](std::uint8_t u) { return u == 0; });
}

bool same(const Fact& a, const Fact& b) {
  if (a.dtype != b.dtype || a.ranked != b.ranked || a.shape != b.shape) return false;
  if (a.content == b.content) return true;
  if (!a.content || !b.content) return false;
  return a.content->ints == b.content->ints && a.content->reals == b.content->reals &&
         a.content->unknown == b.content->unknown;
}

bool Fact::complete() const {
  return ranked && std::all_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent >= 0; });
}

std::optional<std::vector<std::int64_t>> Fact::int_values() const {
  if (!content || !content->reals.empty() || !content->all_known() || !tensor::is_integer(dtype)) return std::nullopt;
  return content->ints;
}

const Fact& InferContext::in(std::size_t i) const {
  static const Fact empty;
  const ValueId id = node_.input(i);
  return id == no_value ? empty : facts_[at(id)];
}

const Tensor* InferContext::constant(std::size_t i) const {
  return graph_.constant(node_.input(i));
}

void InferContext::out(std::size_t i, Fact fact) {
  const ValueId id = node_.output(i);
  if (absurd(fact.rank())) fact = {fact.dtype, false, {}, nullptr};
  if (id != no_value) facts_[at(id)] = std::move(fact);
}

Facts initial_facts(const Model& model, const Graph& graph, const World& world) {
  (void)model;
  Facts facts(graph.values.size());
  facts.data_extent = world.data_extent;
  std::size_t position = 0;  // of the next entry of `world`, in which some inputs have none
  for (ValueId id : graph.inputs) {
    const Value& value = graph.values[at(id)];
    if (value.initializer >= 0) continue;
    facts[at(id)] = declared_fact(value);
    if (const Shape* shape = world_shape(world, position, value.name); shape && !absurd(shape->size())) {
      facts[at(id)].ranked = true;
      facts[at(id)].shape = *shape;
      ++position;
    }
  }
  for (const Initializer& initializer : graph.initializers)
    facts[at(initializer.value)] = constant_fact(initializer.tensor);
  for (const Node& node : graph.nodes) {
    if (!node.is("Constant")) continue;
    if (const Tensor* tensor = graph.constant(node.output(0))) facts[at(node.output(0))] = constant_fact(*tensor);
  }
  return facts;
}

void infer_node(const Model& model, const Graph& graph, const Node& node, Facts& facts) {
  if (node.is("Constant") && node.output(0) != no_value && facts[at(node.output(0))].ranked) return;
  forget_outputs(node, facts);
  const OpDef* def = find_op(node.domain, node.op);
  if (def && def->infer) {
    InferContext context(model, graph, node, facts);
    try {
      def->infer(context);
    } catch (const Error& error) {
      throw Error(describe(graph, node) + ": " + error.what());
    }
  }
  for (ValueId output : node.outputs)
    if (output != no_value) fill_from_declaration(graph.values[at(output)], facts[at(output)]);
  if (facts.data_extent > 0) choose_data_extents(node, facts);
}

Facts infer(const Model& model, const Graph& graph, const World& world) {
  Facts facts = initial_facts(model, graph, world);
  ContentBudget budget;
  for (const Node& node : graph.nodes) {
    infer_node(model, graph, node, facts);
    budget.charge(node, facts);
  }
  return facts;
}

Facts infer_tolerant(const Model& model, const Graph& graph, const World& world, std::vector<std::string>* problems) {
  Facts facts = initial_facts(model, graph, world);
  ContentBudget budget;
  for (const Node& node : graph.nodes) {
    try {
      infer_node(model, graph, node, facts);
      budget.charge(node, facts);
    } catch (const Error& error) {
      forget_outputs(node, facts);
      if (problems) problems->push_back(error.what());
    }
  }
  return facts;
}

double node_macs(const Graph& graph, const Node& node, const Facts& facts) {
  (void)graph;
  const OpDef* def = find_op(node.domain, node.op);
  if (!def || !def->macs) return 0;
  static const Fact empty;
  std::vector<const Fact*> in, out;
  in.reserve(node.inputs.size());
  for (ValueId id : node.inputs) in.push_back(id == no_value ? &empty : &facts[at(id)]);
  for (ValueId id : node.outputs) out.push_back(id == no_value ? &empty : &facts[at(id)]);
  return def->macs(node, in, out);
}

}  // namespace coppice::graph
