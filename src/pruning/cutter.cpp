#include "pruning/cutter.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <unordered_map>

#include "coppice/base/at.hpp"
#include "coppice/tensor/kernels.hpp"

#include "pruning/inputs.hpp"
#include "pruning/waiting.hpp"

namespace coppice::pruning {

Cutter::Cutter(const Prepared& prepared, std::span<const std::uint8_t> removed, Gathering gathering)
    : p_(prepared),
      removed_(removed),
      gathering_(gathering),
      model_(prepared.model),
      extents_(prepared.couplings, removed) {
  before_.push_back(&p_.first);
  if (!p_.second.empty()) before_.push_back(&p_.second);
}

std::span<const coupling::Axis> Cutter::axes_of(graph::ValueId value) const {
  if (value == graph::no_value || at(value) >= p_.model.graph.values.size()) return {};
  return p_.couplings.axes(value);
}

std::optional<graph::Shape> Cutter::planned(graph::ValueId value, std::size_t world) const {
  if (value == graph::no_value || at(value) >= p_.model.graph.values.size() || !p_.couplings.ranked(value)) return {};
  const graph::Fact& old = (*before_[world])[at(value)];
  const auto axes = axes_of(value);
  if (!old.complete() || old.shape.size() != axes.size()) return {};
  graph::Shape out = old.shape;
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = extents_.scaled(out[k], axes[k]);
  return out;
}

const graph::Fact& Cutter::old_fact(std::size_t world, std::size_t operand) {
  static const graph::Fact none;
  const graph::ValueId value = node().input(operand);
  return value == graph::no_value || at(value) >= before_[world]->size() ? none : (*before_[world])[at(value)];
}

const graph::Fact& Cutter::new_fact(std::size_t world, std::size_t operand) {
  static const graph::Fact none;
  const graph::ValueId value = node().input(operand);
  return value == graph::no_value ? none : after_[world][at(value)];
}

const graph::Fact& Cutter::old_result(std::size_t world, std::size_t output) {
  static const graph::Fact none;
  const graph::ValueId value = node().output(output);
  return value == graph::no_value ? none : (*before_[world])[at(value)];
}

void Cutter::fail(const std::string& what) {
  std::vector<std::int32_t> units;
  const graph::Node& n = p_.model.graph.nodes[current_];
  const auto add = [&](graph::ValueId value) {
    for (const coupling::Axis& axis : axes_of(value))
      for (const coupling::Factor& f : p_.couplings.factors(axis)) {
        if (f.track == coupling::no_track) continue;
        for (std::int32_t u : p_.couplings.track(f.track))
          if (removed_[at(u)]) units.push_back(u);
      }
  };
  for (graph::ValueId v : n.inputs) add(v);
  for (graph::ValueId v : n.outputs) add(v);
  for (graph::ValueId v : shape_sources(n)) add(v);
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
  throw StructureError(graph::describe(p_.model.graph, n) + ": " + what, static_cast<std::int32_t>(current_),
                       std::move(units));
}

// The values whose shapes the operands of a node are computed from.
std::vector<graph::ValueId> Cutter::shape_sources(const graph::Node& node) const {
  std::vector<graph::ValueId> out, open = node.inputs;
  std::vector<std::uint8_t> seen(p_.model.graph.values.size(), 0);
  while (!open.empty()) {
    const graph::ValueId v = open.back();
    open.pop_back();
    if (v == graph::no_value || at(v) >= seen.size() || seen[at(v)]++) continue;
    const std::int32_t source = p_.model.graph.values[at(v)].producer;
    if (source < 0 || !graph::is_folded(p_.model.graph.nodes[at(source)], p_.first)) {
      out.push_back(v);
      continue;
    }
    const auto& inputs = p_.model.graph.nodes[at(source)].inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return out;
}

void Cutter::cut_constants() {
  // All at once, so that threads and fresh memory are shared by the many small tensors.
  std::vector<graph::ValueId> values;
  std::vector<tensor::GatherRequest> requests;
  std::deque<std::vector<std::int64_t>> lists;  // keeps the indices where they are
  for (graph::ValueId value : p_.couplings.constants()) {
    const auto axes = axes_of(value);
    std::vector<tensor::AxisIndices> indices;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (is_cut(axes[k])) indices.push_back({k, lists.emplace_back(kept(axes[k]))});
    }
    if (indices.empty()) continue;
    const tensor::Tensor& source = *graph().constant(value);
    if (waits(source) || (gathering_ == Gathering::later && source.bytes.size() >= waiting_from)) {
      graph().set_constant(value, tensor::gather_later(source, indices));
      continue;
    }
    values.push_back(value);
    requests.push_back({&source, std::move(indices)});
  }
  auto results = tensor::gather_axes(requests, tensor::Reading::last);
  for (std::size_t i = 0; i < results.size(); ++i) graph().set_constant(values[i], std::move(results[i]));
}

// An operand that is computed from shapes but used as data (an attention scale) must keep its value.
void Cutter::check_data_operands() {
  const graph::OpDef* def = graph::find_op(node().domain, node().op);
  for (std::size_t i = 0; i < node().inputs.size(); ++i) {
    const graph::ValueId value = node().inputs[i];
    if (value == graph::no_value || (def && i < 32 && (def->structural >> i & 1u))) continue;
    if (model_.graph.constant(value)) continue;
    const auto& old = old_fact(0, i).content;
    const auto& now = new_fact(0, i).content;
    if (!old || !now) continue;
    // Units of the operand itself may be gone; positions counted up to an extent that shrinks (Range) may not.
    if (new_fact(0, i).shape != old_fact(0, i).shape && planned(value, 0) != old_fact(0, i).shape) continue;
    const bool same =
        old->ints == now->ints && std::equal(old->reals.begin(), old->reals.end(), now->reals.begin(), now->reals.end(),
                                             [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(a); });
    if (same) continue;
    const bool dynamic = worlds() > 1 && (!old_fact(1, i).content || old_fact(1, i).content->ints != old->ints ||
                                          old_fact(1, i).content->reals != old->reals);
    if (dynamic || !old->all_known()) fail("operand " + std::to_string(i) + " is data that depends on the cut shapes");
    const graph::Fact& fact = old_fact(0, i);
    replace(i, old->ints.empty() ? tensor::from_doubles(fact.dtype, fact.shape, old->reals)
                                 : tensor::from_ints(fact.dtype, fact.shape, old->ints));
  }
}

// Bounds and targets of a node that loses nothing, and those that no rule adapts (TopK's k), stay what they were,
// though they may be computed from shapes that shrink: the width of a head out of the channels of a residual stream.
void Cutter::keep_structure(bool adapted) {
  const graph::OpDef* def = graph::find_op(node().domain, node().op);
  if (!def || def->structural == 0) return;
  const auto loses = [&](std::span<const coupling::Axis> axes) {
    return std::any_of(axes.begin(), axes.end(), [&](const coupling::Axis& a) { return is_cut(a); });
  };
  for (std::size_t i = 0; adapted && i < node().inputs.size(); ++i)
    if (loses(axes(i))) return;
  for (std::size_t o = 0; adapted && o < node().outputs.size(); ++o)
    if (loses(result_axes(o))) return;
  for (std::size_t i = 0; i < std::min<std::size_t>(node().inputs.size(), 32); ++i) {
    if ((def->structural >> i & 1u) == 0) continue;
    PerWorld wanted;
    for (std::size_t w = 0; w < worlds(); ++w)
      if (auto values = old_fact(w, i).int_values()) wanted.push_back(std::move(*values));
    if (wanted.size() == worlds()) require(i, wanted);
  }
}

void Cutter::check_results() {
  for (std::size_t w = 0; w < worlds(); ++w) {
    try {
      graph::infer_node(model_, graph(), node(), after_[w]);
    } catch (const Error& error) {
      // A node that contradicted itself before the cut is none of the cut's business; what it touches is locked.
      if (old_result(w, 0).ranked) fail(error.what());
      continue;
    }
    for (graph::ValueId value : node().outputs) {
      const auto want = planned(value, w);
      if (!want) continue;
      const graph::Fact& now = after_[w][at(value)];
      if (!now.ranked) fail("its shape after the cut is not known");
      if (now.shape != *want)
        fail("expected shape " + tensor::to_string(*want) + " after the cut, found " + tensor::to_string(now.shape));
    }
  }
}

void Cutter::update_declarations() {
  for (std::size_t v = 0; v < p_.model.graph.values.size(); ++v) {
    auto& shape = graph().values[v].shape;
    const auto axes = axes_of(static_cast<graph::ValueId>(v));
    if (!shape || shape->size() != axes.size()) continue;
    for (std::size_t k = 0; k < axes.size(); ++k)
      if ((*shape)[k].size >= 0 && is_cut(axes[k])) (*shape)[k].size = kept_count(axes[k]);
  }
}

bool Cutter::is_as_before(graph::ValueId value) const {
  if (at(value) >= p_.model.graph.values.size()) return false;
  for (std::size_t w = 0; w < before_.size(); ++w)
    if (!graph::same((*before_[w])[at(value)], after_[w][at(value)])) return false;
  return true;
}

// Puts the new nodes in place and drops the shape arithmetic that nobody reads any more.
void Cutter::finish() {
  graph::Graph& g = graph();
  if (!added_.empty()) {
    std::vector<graph::Node> nodes;
    nodes.reserve(g.nodes.size() + added_.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
      for (; next < added_.size() && added_[next].first == i; ++next) nodes.push_back(std::move(added_[next].second));
      nodes.push_back(std::move(g.nodes[i]));
    }
    g.nodes = std::move(nodes);
  }
  g.reindex();
  const auto before = p_.model.graph.consumers();
  std::vector<std::int32_t> uses(g.values.size(), 0);
  const auto after = g.consumers();
  for (std::size_t v = 0; v < after.size(); ++v) uses[v] = static_cast<std::int32_t>(after[v].size());
  std::vector<std::uint8_t> gone(g.nodes.size(), 0);
  const auto orphan = [&](graph::ValueId v) {
    return v == graph::no_value ||
           (uses[at(v)] == 0 && !g.values[at(v)].is_output && (at(v) >= before.size() || !before[at(v)].empty()));
  };
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    const auto& outputs = g.nodes[i].outputs;
    if (outputs.empty() || !std::all_of(outputs.begin(), outputs.end(), orphan)) continue;
    gone[i] = 1;
    for (graph::ValueId v : g.nodes[i].inputs)
      if (v != graph::no_value) --uses[at(v)];
  }
  std::size_t next = 0;
  std::erase_if(g.nodes, [&](const graph::Node&) { return gone[next++] != 0; });
  std::erase_if(g.initializers, [&](const graph::Initializer& i) {
    return uses[at(i.value)] == 0 && !g.values[at(i.value)].is_output &&
           (at(i.value) >= before.size() || !before[at(i.value)].empty());
  });
  g.sort();
  graph::retie(g, p_.untied);
  graph::restore_control_flow(g, p_.regions, [&](graph::ValueId value) { return is_as_before(value); });
  list_initializers(model_, p_.model.graph);
  g.check();
}

graph::Model Cutter::run() {
  update_declarations();
  cut_constants();
  after_.push_back(graph::initial_facts(model_, graph(), p_.worlds.first));
  if (worlds() > 1) after_.push_back(graph::initial_facts(model_, graph(), p_.worlds.second));
  uses_.assign(graph().values.size(), 0);
  const auto consumers = graph().consumers();
  for (std::size_t v = 0; v < consumers.size(); ++v) uses_[v] = static_cast<std::int32_t>(consumers[v].size());
  std::unordered_map<std::string_view, StructureRule> rules;
  const std::size_t count = graph().nodes.size();
  for (current_ = 0; current_ < count; ++current_) {
    const graph::Node& original = p_.model.graph.nodes[current_];
    if (!graph::is_folded(original, p_.first)) {
      StructureRule rule = nullptr;
      if (original.domain.empty()) {
        const auto [it, added] = rules.try_emplace(original.op, nullptr);
        if (added) it->second = find_structure_rule("", original.op);
        rule = it->second;
      } else {
        rule = find_structure_rule(original.domain, original.op);
      }
      if (rule) rule(*this);
      keep_structure(rule != nullptr);
      check_data_operands();
      check_results();
    } else {
      for (std::size_t w = 0; w < worlds(); ++w) graph::infer_node(model_, graph(), node(), after_[w]);
    }
  }
  finish();
  return std::move(model_);
}

graph::Model cut(const Prepared& prepared, std::span<const std::uint8_t> removed, Gathering gathering) {
  return Cutter(prepared, removed, gathering).run();
}

}  // namespace coppice::pruning
