#include "graph/control_flow_lists.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "coppice/base/at.hpp"

namespace coppice::graph {
namespace {

// Lists are copied as they grow.
constexpr std::size_t max_elements = 1'000'000;

/// A value, or (from -2 downwards) a piece that a SplitToSequence cuts off.
using Element = std::int32_t;
using Elements = std::vector<Element>;

Element piece(std::size_t index) {
  return -2 - static_cast<Element>(index);
}

/// What every list of a graph holds, as far as that is known, and which lists belong together.
class Lists {
 public:
  Lists(const Graph& graph, const Witnesses& witnesses, std::int64_t nodes_left)
      : graph_(graph),
        witnesses_(witnesses),
        nodes_left_(nodes_left),
        known_(graph.values.size()),
        is_list_(graph.values.size(), 0),
        spoilt_(graph.values.size(), 0),
        used_(graph.values.size(), 0),
        family_(graph.values.size()),
        sizes_(graph.nodes.size()) {
    std::iota(family_.begin(), family_.end(), 0);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) read(i);
    for (ValueId output : graph.outputs) spoil(output);
    for (std::size_t v = 0; v < spoilt_.size(); ++v)
      if (spoilt_[v]) spoilt_[at(root(static_cast<ValueId>(v)))] = 1;
    for (std::size_t v = 0; v < used_.size(); ++v)
      if (used_[v]) used_[at(root(static_cast<ValueId>(v)))] = 1;
  }

  /// The lists that a node deals with, by one of them; no_value when it deals with none, or not all is known of them.
  ValueId family(const Node& node) {
    ValueId list = node.output(0);
    if (list == no_value || !is_list_[at(list)]) list = node.input(0);
    if (!(is_list_op(node) || node.is("Identity")) || list == no_value || !is_list_[at(list)]) return no_value;
    return spoilt_[at(root(list))] || !used_[at(root(list))] ? no_value : root(list);
  }
  const Elements& elements(ValueId list) const { return *known_[at(list)]; }
  const std::vector<std::int64_t>& sizes(std::size_t node) const { return sizes_[node]; }
  std::size_t pieces() const { return pieces_; }
  /// Where a reader or an insertion points to; nothing when it is not known or out of range.
  std::optional<std::size_t> position(const Node& node, std::size_t operand, std::size_t end) const {
    auto index = witnesses_.number(node.input(operand));
    const auto count = static_cast<std::int64_t>(end);
    const auto length = static_cast<std::int64_t>(elements(node.inputs[0]).size());
    if (index && *index < 0) *index += length;
    return index && *index >= 0 && *index < count ? std::optional(static_cast<std::size_t>(*index)) : std::nullopt;
  }

 private:
  ValueId root(ValueId v) {
    while (family_[at(v)] != v) v = family_[at(v)] = family_[at(family_[at(v)])];
    return v;
  }
  void spoil(ValueId v) {
    if (v != no_value && is_list_[at(v)]) spoilt_[at(v)] = 1;
  }
  void make(const Node& node, std::optional<Elements> elements) {
    const ValueId out = node.output(0);
    if (out == no_value) return;
    is_list_[at(out)] = 1;
    if (elements) held_ += elements->size();
    if (held_ > max_elements) elements.reset();
    if (!elements) spoilt_[at(out)] = 1;
    if (!node.is("SequenceEmpty")) used_[at(out)] = 1;
    known_[at(out)] = std::move(elements);
  }
  bool spend(std::size_t nodes) {
    nodes_left_ -= static_cast<std::int64_t>(std::min(nodes, max_elements));
    return nodes_left_ >= 0;
  }

  void read(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const ValueId list = node.input(0), out = node.output(0);
    const bool reads_list = list != no_value && is_list_[at(list)];
    if (!is_list_op(node) && !(node.is("Identity") && reads_list)) {
      for (ValueId id : node.inputs) spoil(id);
      for (const std::string& name : captured_names(node)) spoil(graph_.find(name));
      return;
    }
    if (node.is("SequenceEmpty")) return make(node, Elements());
    if (node.is("SequenceConstruct")) {
      const bool whole = std::find(node.inputs.begin(), node.inputs.end(), no_value) == node.inputs.end();
      return make(node, whole ? std::optional(Elements(node.inputs.begin(), node.inputs.end())) : std::nullopt);
    }
    if (node.is("SplitToSequence")) return make(node, split(index));
    const bool known = reads_list && known_[at(list)];
    if (reads_list) used_[at(list)] = 1;
    if (node.is("SequenceAt")) {
      if (!known || out == no_value || !position(node, 1, elements(list).size())) spoil(list);
      return;
    }
    if (node.is("ConcatFromSequence")) {
      if (!known || out == no_value || elements(list).empty() || !spend(2 * elements(list).size())) spoil(list);
      return;
    }
    if (node.is("SequenceLength")) {
      if (!known || out == no_value) spoil(list);
      return;
    }
    make(node, known ? changed(node, elements(list)) : std::nullopt);
    if (reads_list && out != no_value) family_[at(root(out))] = root(list);
    if (out == no_value) spoil(list);
  }

  // SequenceInsert, SequenceErase, Identity.
  std::optional<Elements> changed(const Node& node, Elements elements) const {
    if (node.is("SequenceInsert")) {
      std::optional<std::size_t> where = elements.size();
      if (node.input(2) != no_value) where = position(node, 2, elements.size() + 1);
      if (!where || node.input(1) == no_value || elements.size() >= max_elements) return std::nullopt;
      elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(*where), node.inputs[1]);
    } else if (node.is("SequenceErase")) {
      if (elements.empty()) return std::nullopt;
      std::optional<std::size_t> where = elements.size() - 1;
      if (node.input(1) != no_value) where = position(node, 1, elements.size());
      if (!where) return std::nullopt;
      elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(*where));
    }
    return elements;
  }

  std::optional<Elements> split(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const Fact whole = witnesses_.common(node.input(0));
    if (!whole.ranked) return std::nullopt;
    const auto rank = static_cast<std::int64_t>(whole.rank());
    std::int64_t axis = node.int_or("axis", 0);
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank || whole.shape[static_cast<std::size_t>(axis)] <= 0) return std::nullopt;
    const std::int64_t extent = whole.shape[static_cast<std::size_t>(axis)];
    std::vector<std::int64_t> sizes;
    std::int64_t size = 1;
    if (node.input(1) != no_value) {
      const Fact given = witnesses_.common(node.input(1));
      const auto numbers = given.int_values();
      if (!given.ranked || !numbers) return std::nullopt;
      if (given.rank() == 1) sizes = *numbers;
      if (given.rank() == 0) size = numbers->at(0);
      if (given.rank() == 0 && size <= 0) return std::nullopt;
    }
    if (sizes.empty()) {
      if (!spend(static_cast<std::size_t>((extent - 1) / size) + 1)) return std::nullopt;
      for (std::int64_t begin = 0; begin < extent; begin += size) sizes.push_back(std::min(size, extent - begin));
    } else if (!spend(sizes.size())) {
      return std::nullopt;
    }
    std::int64_t left = extent;
    for (std::int64_t s : sizes) {
      if (s <= 0 || s > left) return std::nullopt;
      left -= s;
    }
    if (left != 0) return std::nullopt;
    Elements out;
    for (std::size_t k = 0; k < sizes.size(); ++k) out.push_back(piece(pieces_++));
    sizes_[index] = std::move(sizes);
    return out;
  }

  const Graph& graph_;
  const Witnesses& witnesses_;
  std::int64_t nodes_left_;
  std::vector<std::optional<Elements>> known_;
  std::vector<std::uint8_t> is_list_, spoilt_;
  std::vector<std::uint8_t> used_;  // not just made empty
  std::vector<ValueId> family_;
  std::vector<std::vector<std::int64_t>> sizes_;  // of the pieces of a SplitToSequence, by node
  std::size_t pieces_ = 0, held_ = 0;
};

/// Writes down what stands for the nodes around known lists.
class ListWriter {
 public:
  ListWriter(Model& model, Names& names, const Lists& lists)
      : model_(model), graph_(model.graph), names_(names), lists_(lists), pieces_(lists.pieces(), no_value) {}

  ResolvedRegion region(Node node, std::size_t index) {
    region_ = {};
    stem_ = node.name.empty() ? node.op : node.name;
    const ValueId out = node.output(0);
    if (node.is("SequenceAt")) {
      const Elements& from = lists_.elements(node.inputs[0]);
      emit("Identity", {value(from[*lists_.position(node, 1, from.size())])}, {out});
    } else if (node.is("SequenceLength")) {
      const auto length = static_cast<std::int64_t>(lists_.elements(node.inputs[0]).size());
      emit("Constant", {}, {out}, "value", Tensor::scalar(length));
    } else if (node.is("ConcatFromSequence")) {
      join(node);
    } else {
      if (node.is("SplitToSequence")) cut(node, index);
      emit("SequenceEmpty", {}, {out});
    }
    region_.node = std::move(node);
    return std::move(region_);
  }

 private:
  ValueId value(Element element) const { return element >= 0 ? element : pieces_[at(-2 - element)]; }

  void emit(std::string_view op, std::vector<ValueId> inputs, std::vector<ValueId> outputs,
            std::string_view attribute = {}, AttributeValue number = {}) {
    Node node{.op = std::string(op), .name = stem_, .inputs = std::move(inputs), .outputs = std::move(outputs)};
    if (!attribute.empty()) node.attributes.push_back({std::string(attribute), std::move(number), {}, {}});
    region_.nodes.push_back(std::move(node));
  }
  ValueId fresh(const std::string& name) { return graph_.value(names_.fresh(stem_ + "/" + name)); }

  // `op` with whole numbers that are an operand since opset 13, an attribute before.
  void emit_with(std::string_view op, ValueId input, std::vector<ValueId> outputs, std::string_view name,
                 const std::vector<std::int64_t>& numbers) {
    if (model_.opset() < 13) return emit(op, {input}, std::move(outputs), name, numbers);
    const ValueId operand =
        graph_.add_initializer(names_.fresh(stem_ + "/" + std::string(name)), Tensor::ints(numbers));
    region_.initializers.push_back(graph_.initializers.back());
    emit(op, {input, operand}, std::move(outputs));
  }

  void join(const Node& node) {
    const std::int64_t axis = node.int_or("axis", 0);
    std::vector<ValueId> parts;
    for (Element element : lists_.elements(node.inputs[0])) {
      parts.push_back(value(element));
      if (node.int_or("new_axis", 0) == 0) continue;
      const ValueId row = fresh("row");
      emit_with("Unsqueeze", parts.back(), {row}, "axes", {axis});
      parts.back() = row;
    }
    emit("Concat", std::move(parts), {node.outputs[0]}, "axis", axis);
  }

  void cut(const Node& node, std::size_t index) {
    const Elements& made = lists_.elements(node.outputs[0]);
    const bool squeezed = node.input(1) == no_value && node.int_or("keepdims", 1) == 0;
    const std::int64_t axis = node.int_or("axis", 0);
    std::vector<ValueId> parts;
    for (std::size_t k = 0; k < made.size(); ++k) parts.push_back(fresh("piece"));
    emit_with("Split", node.inputs[0], parts, "split", lists_.sizes(index));
    region_.nodes.back().set("axis", axis);
    for (std::size_t k = 0; k < made.size(); ++k) {
      ValueId& id = pieces_[at(-2 - made[k])];
      id = parts[k];
      if (!squeezed) continue;
      id = fresh("row");
      emit_with("Squeeze", parts[k], {id}, "axes", {axis});
    }
  }

  Model& model_;
  Graph& graph_;
  Names& names_;
  const Lists& lists_;
  std::vector<ValueId> pieces_;
  std::string stem_;
  ResolvedRegion region_;
};

}  // namespace

bool is_list_op(const Node& node) {
  for (std::string_view op : {"SequenceEmpty", "SequenceConstruct", "SequenceInsert", "SequenceErase", "SequenceAt",
                              "SequenceLength", "ConcatFromSequence", "SplitToSequence"})
    if (node.is(op)) return true;
  return false;
}

bool resolve_lists(Model& model, Names& names, const Witnesses& witnesses, std::vector<ResolvedRegion>& regions,
                   std::int64_t& nodes_left) {
  Graph& graph = model.graph;
  const auto needs_list = [](const Node& node) { return is_list_op(node) && !node.is("SequenceEmpty"); };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), needs_list)) return false;
  graph.reindex();
  Lists lists(graph, witnesses, nodes_left);
  ListWriter writer(model, names, lists);
  std::map<ValueId, std::vector<ResolvedRegion>> groups;
  std::vector<Node> nodes;
  const std::size_t before = graph.nodes.size();
  for (std::size_t i = 0; i < before; ++i) {
    const ValueId family = lists.family(graph.nodes[i]);
    if (family == no_value) {
      nodes.push_back(std::move(graph.nodes[i]));
      continue;
    }
    ResolvedRegion region = writer.region(std::move(graph.nodes[i]), i);
    nodes.insert(nodes.end(), region.nodes.begin(), region.nodes.end());
    groups[family].push_back(std::move(region));
  }
  graph.nodes = std::move(nodes);
  graph.reindex();
  nodes_left -= static_cast<std::int64_t>(graph.nodes.size() - before);
  auto group = static_cast<std::int32_t>(regions.size());
  for (auto& [family, members] : groups) {
    for (ResolvedRegion& region : members) {
      region.group = group;
      regions.push_back(std::move(region));
    }
    ++group;
  }
  return !groups.empty();
}

}  // namespace coppice::graph
