#include <algorithm>

#include "coppice/base/at.hpp"

#include "pruning/cutter.hpp"

namespace coppice::pruning {
namespace {

// Deep enough for any exporter's shape arithmetic, shallow enough for any stack.
constexpr int depth_limit = 64;

bool moves_elements_in_order(const graph::Node& node) {
  for (std::string_view op : {"Unsqueeze", "Squeeze", "Reshape", "Cast", "Identity", "Flatten"})
    if (node.is(op)) return true;
  return false;
}

}  // namespace

graph::ValueId Cutter::constant(std::string_view stem, graph::Tensor tensor) {
  graph::Graph& g = graph();
  const graph::ValueId value = g.fresh(stem);
  g.add_initializer(std::string(g.name_of(value)), std::move(tensor));
  uses_.resize(g.values.size(), 0);
  for (auto& facts : after_) facts.resize(g.values.size());
  learn_constant(value);
  return value;
}

void Cutter::learn_constant(graph::ValueId value) {
  const graph::Tensor& tensor = *graph().constant(value);
  graph::Fact fact = graph::Fact::of(tensor.dtype, tensor.shape);
  if (tensor.elements() <= graph::content_limit) {
    auto content = std::make_shared<graph::Content>();
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      if (tensor::is_real(tensor.dtype))
        content->reals.push_back(tensor::element_as_double(tensor, i));
      else
        content->ints.push_back(tensor::element_as_int(tensor, i));
    }
    fact.content = std::move(content);
  }
  for (auto& facts : after_) facts[at(value)] = fact;
}

void Cutter::replace(std::size_t operand, graph::Tensor tensor) {
  const graph::ValueId old = node().input(operand);
  if (old != graph::no_value) --uses_[at(old)];
  const graph::ValueId value = constant(std::string(graph().name_of(node().output(0))) + "_pruned", std::move(tensor));
  if (node().inputs.size() <= operand) node().inputs.resize(operand + 1, graph::no_value);
  node().inputs[operand] = value;
  ++uses_[at(value)];
}

const graph::Node* Cutter::producer(graph::ValueId value) const {
  if (at(value) < p_.model.graph.values.size()) {
    const std::int32_t index = model_.graph.values[at(value)].producer;
    return index < 0 ? nullptr : &model_.graph.nodes[at(index)];
  }
  for (const auto& [where, node] : added_)
    if (node.output(0) == value) return &node;
  return nullptr;
}

bool Cutter::holds(graph::ValueId value, const Wanted& wanted) const {
  for (std::size_t w = 0; w < after_.size(); ++w) {
    const auto& content = after_[w][at(value)].content;
    if (!content || content->ints.size() != wanted[w].size()) return false;
    for (std::size_t i = 0; i < wanted[w].size(); ++i)
      if (wanted[w][i] && (!content->known(i) || content->ints[i] != *wanted[w][i])) return false;
  }
  return true;
}

void Cutter::require(std::size_t operand, const PerWorld& wanted) {
  const graph::ValueId value = node().input(operand);
  if (value == graph::no_value) return;
  Wanted all(wanted.size());
  for (std::size_t w = 0; w < wanted.size(); ++w) all[w].assign(wanted[w].begin(), wanted[w].end());
  if (holds(value, all)) return;
  const graph::ValueId now = solve(value, all, 0, true);
  if (now == graph::no_value)
    fail("operand " + std::to_string(operand) + " \"" + std::string(graph().name_of(value)) +
         "\" can't be rewritten for the new shapes");
  if (now == value) return;
  --uses_[at(value)];
  ++uses_[at(now)];
  node().inputs[operand] = now;
}

void Cutter::require(std::size_t operand, const std::string& attribute, const PerWorld& wanted) {
  if (node().input(operand) != graph::no_value) {
    require(operand, wanted);
    return;
  }
  if (!node().has(attribute)) return;
  if (wanted.size() > 1 && wanted[0] != wanted[1]) fail("attribute \"" + attribute + "\" would have to be dynamic");
  const auto now = node().ints(attribute);
  if (!std::equal(now.begin(), now.end(), wanted[0].begin(), wanted[0].end())) node().set(attribute, wanted[0]);
}

graph::ValueId Cutter::solve(graph::ValueId value, const Wanted& wanted, int depth, bool exclusive) {
  exclusive = exclusive && uses_[at(value)] == 1 && !graph().values[at(value)].is_output;
  if (depth > depth_limit) return graph::no_value;
  if (holds(value, wanted)) return value;
  const auto key = std::make_pair(value, wanted);
  if (const auto it = solved_.find(key); it != solved_.end()) return it->second;
  graph::ValueId out = graph::no_value;
  const graph::Node* source = producer(value);
  if (graph().constant(value)) {
    out = literal(value, wanted, exclusive);
  } else if (source) {
    const graph::Node copy = *source;  // adding nodes moves the list that `source` points into
    const std::size_t n = wanted[0].size();
    if (copy.is("Concat")) {
      std::vector<graph::ValueId> inputs = copy.inputs;
      std::size_t begin = 0;
      bool solved = true;
      for (graph::ValueId& input : inputs) {
        const auto& content = after_[0][at(input)].content;
        if (!content) return graph::no_value;
        const std::size_t count = content->ints.size();
        if (begin + count > n) return graph::no_value;
        Wanted part(wanted.size());
        for (std::size_t w = 0; w < wanted.size(); ++w)
          part[w].assign(wanted[w].begin() + static_cast<std::ptrdiff_t>(begin),
                         wanted[w].begin() + static_cast<std::ptrdiff_t>(begin + count));
        const graph::ValueId now = solve(input, part, depth + 1, exclusive);
        solved = solved && now != graph::no_value;
        input = now;
        begin += count;
      }
      if (solved && begin == n) out = clone(copy, std::move(inputs));
    } else if (moves_elements_in_order(copy)) {
      std::vector<std::int64_t> from(n);
      for (std::size_t i = 0; i < n; ++i) from[i] = static_cast<std::int64_t>(i);
      out = solve_moved(copy, wanted, depth, exclusive, from);
    } else if (copy.is("Gather") && after_[0][at(copy.inputs[0])].rank() == 1) {
      if (auto from = after_[0][at(copy.inputs[1])].int_values()) {
        const auto& content = after_[0][at(copy.inputs[0])].content;
        const auto length = content ? static_cast<std::int64_t>(content->ints.size()) : 0;
        for (std::int64_t& i : *from) i = i < 0 ? i + length : i;
        if (length > 0) out = solve_moved(copy, wanted, depth, exclusive, *from);
      }
    } else {
      out = solve_arithmetic(copy, wanted, depth, exclusive);
    }
    if (out == graph::no_value) out = patch(value, wanted);
  }
  solved_.emplace(key, out);  // failures too: a product of a value with itself would try them again and again
  return out;
}

// Result element i is element from[i] of operand 0.
graph::ValueId Cutter::solve_moved(const graph::Node& source, const Wanted& wanted, int depth, bool exclusive,
                                   const std::vector<std::int64_t>& from) {
  const auto& content = after_[0][at(source.inputs[0])].content;
  if (!content || from.size() != wanted[0].size()) return graph::no_value;
  Wanted inner(wanted.size(), std::vector<std::optional<std::int64_t>>(content->ints.size()));
  for (std::size_t w = 0; w < wanted.size(); ++w)
    for (std::size_t i = 0; i < from.size(); ++i) {
      // Real numbers (a Cast of Floor) have no such elements.
      if (from[i] < 0 || from[i] >= static_cast<std::int64_t>(inner[w].size())) return graph::no_value;
      auto& slot = inner[w][static_cast<std::size_t>(from[i])];
      if (slot && wanted[w][i] && *slot != *wanted[w][i]) return graph::no_value;
      if (wanted[w][i]) slot = wanted[w][i];
    }
  std::vector<graph::ValueId> inputs = source.inputs;
  inputs[0] = solve(inputs[0], inner, depth + 1, exclusive);
  return inputs[0] == graph::no_value ? graph::no_value : clone(source, std::move(inputs));
}

graph::ValueId Cutter::literal(graph::ValueId value, const Wanted& wanted, bool exclusive) {
  const graph::Tensor old = *graph().constant(value);
  if (!tensor::is_integer(old.dtype)) return graph::no_value;
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < wanted[0].size(); ++i) {
    std::optional<std::int64_t> need;
    for (const auto& world : wanted) {
      if (need && world[i] && *need != *world[i]) return graph::no_value;  // it would have to be dynamic
      if (world[i]) need = world[i];
    }
    const auto index = static_cast<std::int64_t>(i);
    if (!need && index >= old.elements()) return graph::no_value;
    numbers.push_back(need ? *need : tensor::element_as_int(old, index));
  }
  graph::Shape shape = old.shape;
  if (old.elements() != static_cast<std::int64_t>(numbers.size())) shape = {static_cast<std::int64_t>(numbers.size())};
  graph::Tensor now = tensor::from_ints(old.dtype, shape, numbers);
  if (exclusive) {
    graph().set_constant(value, std::move(now));
    learn_constant(value);
    return value;
  }
  return constant(std::string(graph().name_of(value)) + "_pruned", std::move(now));
}

graph::ValueId Cutter::clone(const graph::Node& source, std::vector<graph::ValueId> inputs) {
  if (inputs == source.inputs) {
    // The literals behind it changed in place: learn its new content.
    for (auto& facts : after_) graph::infer_node(model_, graph(), source, facts);
    return source.output(0);
  }
  graph::Graph& g = graph();
  graph::Node copy = source;
  const graph::ValueId value = g.fresh(std::string(g.name_of(source.output(0))) + "_pruned");
  copy.name = g.values[at(value)].name;
  copy.inputs = std::move(inputs);
  copy.outputs = {value};
  uses_.resize(g.values.size(), 0);
  for (graph::ValueId v : copy.inputs)
    if (v != graph::no_value) ++uses_[at(v)];
  for (auto& facts : after_) {
    facts.resize(g.values.size());
    graph::infer_node(model_, g, copy, facts);
  }
  added_.emplace_back(current_, std::move(copy));
  return value;
}

// Last resort for elements that are the same in all worlds: Where(wrong, literal, value).
graph::ValueId Cutter::patch(graph::ValueId value, const Wanted& wanted) {
  const graph::Fact& now = after_[0][at(value)];
  if (!now.complete() || !now.content || now.content->ints.size() != wanted[0].size()) return graph::no_value;
  std::vector<std::int64_t> mask, numbers;
  for (std::size_t i = 0; i < wanted[0].size(); ++i) {
    std::optional<std::int64_t> fix;
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      const auto& content = after_[w][at(value)].content;
      if (!content || content->ints.size() != wanted[w].size()) return graph::no_value;
      if (!wanted[w][i] || (content->known(i) && content->ints[i] == *wanted[w][i])) continue;
      if (w > 0 && wanted[0][i] != wanted[w][i]) return graph::no_value;
      fix = wanted[w][i];
    }
    // An element that is right in one world and wrong in another is dynamic.
    if (fix)
      for (std::size_t w = 0; w < wanted.size(); ++w)
        if (wanted[w][i] != fix) return graph::no_value;
    mask.push_back(fix ? 1 : 0);
    numbers.push_back(fix ? *fix : 0);
  }
  const graph::Shape shape = now.shape;
  const graph::DType dtype = now.dtype;
  const std::string stem = std::string(graph().name_of(value)) + "_pruned";
  if (std::all_of(mask.begin(), mask.end(), [](std::int64_t m) { return m != 0; }))
    return constant(stem, tensor::from_ints(dtype, shape, numbers));
  if (model_.opset() < 9) return graph::no_value;
  graph::Node where{.op = "Where",
                    .domain = {},
                    .name = {},
                    .inputs = {},
                    .outputs = {graph::no_value},
                    .attributes = {},
                    .overload = {},
                    .extra = {}};
  const graph::ValueId condition = constant(stem + "_mask", tensor::from_ints(graph::DType::boolean, shape, mask));
  const graph::ValueId numbers_value = constant(stem + "_numbers", tensor::from_ints(dtype, shape, numbers));
  where.outputs = {value};  // names the clone after what it replaces
  return clone(where, {condition, numbers_value, value});
}

}  // namespace coppice::pruning
