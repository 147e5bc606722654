#include <algorithm>
#include <map>
#include <unordered_map>

#include "coppice/base/at.hpp"
#include "coppice/coupling/couplings.hpp"

#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

class Pass {
 public:
  Pass(const graph::Model& model, const graph::Facts& facts, const Options& options)
      : model_(model), graph_(model.graph), facts_(facts), axes_(graph_, facts), state_(budget(graph_)) {
    rule_options_.whole_groups = options.whole_groups;
  }

  void run(bool batch_carries, const Demands& demands) {
    std::unordered_map<std::string_view, AxisRule> rules;  // of the default domain, by operator
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const graph::Node& node = graph_.nodes[i];
      AxisRule rule = nullptr;
      if (node.domain.empty()) {
        const auto [it, added] = rules.try_emplace(node.op, nullptr);
        if (added) it->second = find_rule("", node.op);
        rule = it->second;
      } else {
        rule = find_rule(node.domain, node.op);
      }
      visit(static_cast<std::int32_t>(i), rule);
    }
    for (graph::ValueId output : graph_.outputs)
      for (const Axis& axis : axes_.of(output)) state_.lock(axis, Reason::graph_output, -1);
    heed(demands);
    decide_grids(state_, batch_carries);
    mark_reached();
    lock_single_classes();
  }

  const graph::Graph& graph() const { return graph_; }
  Axes& axes() { return axes_; }
  State& state() { return state_; }
  std::vector<Mix>& mixes() { return mixes_; }

 private:
  // Real models need a few indices per index of a constant.
  static std::int64_t budget(const graph::Graph& graph) {
    std::int64_t indices = 0;
    const auto add = [&](const graph::Tensor& tensor) {
      if (tensor.bytes.size() == 0) return;
      for (std::int64_t length : tensor.shape) indices += length;
    };
    for (const graph::Initializer& i : graph.initializers) add(i.tensor);
    for (const graph::Node& node : graph.nodes)
      if (node.is("Constant"))
        if (const graph::Tensor* tensor = graph.constant(node.output(0))) add(*tensor);
    return std::min<std::int64_t>(
        (std::int64_t{1} << 22) + 64 * indices + 1024 * static_cast<std::int64_t>(graph.nodes.size()),
        std::int64_t{1} << 30);
  }

  void visit(std::int32_t index, AxisRule rule) {
    const graph::Node& node = graph_.nodes[at(index)];
    if (node.is("Constant")) return;
    bool constant = !node.inputs.empty();
    bool known = true;
    for (graph::ValueId i : node.inputs) {
      if (i == graph::no_value) continue;
      constant = constant && axes_.constant(i);
      known = known && axes_.ranked(i);
    }
    for (graph::ValueId o : node.outputs) {
      if (o == graph::no_value) continue;
      known = known && axes_.ranked(o);
      if (constant) axes_.mark_constant(o);
    }
    // No unit lives on shape arithmetic and scalars: their values are followed by inference.
    if (graph::is_folded(node, facts_)) return;
    RuleContext context(model_, graph_, index, facts_, axes_, state_, mixes_, rule_options_);
    if (!rule) {
      const bool control = node.is("If") || node.is("Loop") || node.is("Scan");
      const Reason reason = control ? Reason::control_flow : Reason::unknown_operator;
      for (graph::ValueId input : node.inputs)
        if (input != graph::no_value) hold_all(input, reason, index);
      for (const std::string& name : graph::captured_names(node))
        if (const graph::ValueId value = graph_.find(name); value != graph::no_value) hold_all(value, reason, index);
      return;
    }
    if (!known) {
      context.lock_all(Reason::unknown_shape);
      return;
    }
    try {
      rule(context);
    } catch (const Error&) {
      // The node lacks what its operator's definition promises. What the rule tied so far only ties locked units.
      context.lock_all(Reason::unknown_shape);
      for (graph::ValueId o : node.outputs) {
        if (o == graph::no_value) continue;
        for (Axis& axis : axes_.of(o)) hold(axis, Reason::unknown_shape, index, state_);
      }
    }
  }

  // Weights get units here, locked ones, so that the lock report can tell what keeps them.
  void hold_all(graph::ValueId value, Reason reason, std::int32_t node) {
    const graph::Tensor* constant = graph_.constant(value);
    const bool weight = constant && tensor::is_real(constant->dtype) && constant->shape.size() > 1;
    for (Axis& axis : axes_.of(value)) {
      if (weight && !axis.born && axis.length > 1) axis = state_.fresh_axis(axis.length);
      hold(axis, reason, node, state_);
    }
  }

  Axis* find(const NamedAxis& named) {
    const graph::ValueId value = graph_.find(named.constant);
    if (value == graph::no_value || named.axis < 0 || at(named.axis) >= axes_.rank(value)) return nullptr;
    return &axes_.of(value)[at(named.axis)];
  }

  // Before the grids are decided, so that what may still shrink carries the cut.
  void heed(const Demands& demands) {
    for (const NamedAxis& named : demands.fixed)
      if (Axis* axis = find(named)) hold(*axis, Reason::module_code, -1, state_);
    for (const std::vector<NamedAxis>& list : demands.tied) {
      std::vector<Axis> axes;
      for (const NamedAxis& named : list)
        if (const Axis* axis = find(named); axis && axis->born) axes.push_back(*axis);
      if (axes.size() < 2) continue;
      const auto shortest =
          std::min_element(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.length < b.length; });
      std::iter_swap(axes.begin(), shortest);
      for (std::size_t i = 1; i < axes.size(); ++i) tie(axes[0], axes[i]);
    }
  }

  // Every stretch of the longer axis that is as long as the other.
  void tie(const Axis& one, const Axis& many) {
    if (one.length == many.length || one.length == 0 || many.length % one.length != 0) {
      state_.meet(one, many, -1);  // which locks axes of different lengths
      return;
    }
    if (!one.tracked()) return state_.lock(many, one.why, -1);
    if (!many.tracked()) return state_.lock(one, many.why, -1);
    const Axis units = state_.flatten(one, -1), all = state_.flatten(many, -1);
    const auto ids = state_.ids(units.track), others = state_.ids(all.track);
    if (ids.empty() || others.empty()) {  // too long to be followed
      state_.lock(one, Reason::mixed_by_reshape, -1);
      state_.lock(many, Reason::mixed_by_reshape, -1);
      return;
    }
    for (std::size_t i = 0; i < others.size(); ++i) state_.unite(ids[i % ids.size()], others[i]);
  }

  void mark_reached() {
    std::vector<std::uint8_t> seen(state_.track_count(), 0);
    for (std::size_t v = 0; v < graph_.values.size(); ++v) {
      const auto id = static_cast<graph::ValueId>(v);
      if (!axes_.ranked(id) || axes_.constant(id)) continue;
      for (const Axis& axis : axes_.of(id)) {
        if (!axis.tracked()) continue;
        for (const Factor& f : state_.factors(axis)) {
          if (f.track == no_track || seen[at(f.track)]) continue;
          seen[at(f.track)] = 1;
          for (UnitId u : state_.ids(f.track)) state_.flag(u, State::reaches);
        }
      }
    }
    for (std::size_t u = 0; u < state_.unit_count(); ++u)
      if (!state_.has(static_cast<UnitId>(u), State::reaches))
        state_.lock(static_cast<UnitId>(u), Reason::no_activation, -1);
  }

  // An axis keeps at least one unit; where all its indices are one unit, that one stays.
  void lock_single_classes() {
    for (std::size_t v = 0; v < graph_.values.size(); ++v)
      for (const Axis& axis : axes_.of(static_cast<graph::ValueId>(v))) {
        if (!axis.tracked()) continue;
        for (const Factor& f : state_.factors(axis)) {
          if (f.track == no_track) continue;
          const auto ids = state_.ids(f.track);
          if (ids.empty()) continue;
          const auto first = state_.find(ids[0]);
          if (std::all_of(ids.begin(), ids.end(), [&](UnitId u) { return state_.find(u) == first; }))
            state_.lock(first, Reason::picked, graph_.values[v].producer);
        }
      }
  }

  const graph::Model& model_;
  const graph::Graph& graph_;
  const graph::Facts& facts_;
  Axes axes_;
  State state_;
  std::vector<Mix> mixes_;
  RuleOptions rule_options_;
};

// Two independent hashes of the set of sites of every unit; equal pairs are equal sets.
struct Signature {
  std::uint64_t a = 0x9e3779b97f4a7c15u, b = 0xc2b2ae3d27d4eb4fu;
  std::int64_t last = -1;
  void add(std::int64_t site) {
    if (site == last) return;
    last = site;
    const auto x = static_cast<std::uint64_t>(site) + 1;
    a = (a ^ x) * 0xff51afd7ed558ccdu;
    a ^= a >> 32;
    b = (b + x) * 0xc4ceb9fe1a85ec53u;
    b ^= b >> 29;
  }
};

}  // namespace

Couplings couple(const graph::Model& model, const graph::Facts& facts, const Options& options, const Demands& demands) {
  Pass pass(model, facts, options);
  pass.run(options.attention == Attention::heads, demands);
  State& state = pass.state();
  const graph::Graph& graph = pass.graph();

  Couplings out;
  out.mixes_ = std::move(pass.mixes());
  std::vector<std::int32_t> compact(state.unit_count(), -1);
  for (std::size_t u = 0; u < compact.size(); ++u) {
    const auto root = at(state.find(static_cast<UnitId>(u)));
    if (compact[root] < 0) {
      compact[root] = static_cast<std::int32_t>(out.units_.size());
      Unit unit;
      if (const LockMark* mark = state.lock_of(static_cast<UnitId>(root))) {
        unit.locked = true;
        unit.reason = mark->reason;
        unit.node = mark->node;
      }
      out.units_.push_back(unit);
    }
    compact[u] = compact[root];
  }
  out.tracks_.resize(state.track_count());
  for (std::size_t t = 0; t < out.tracks_.size(); ++t) {
    const auto ids = state.ids(static_cast<TrackId>(t));
    out.tracks_[t].reserve(ids.size());
    for (UnitId u : ids) out.tracks_[t].push_back(compact[at(u)]);
  }
  out.grids_ = std::move(state.grids());
  out.rank_.assign(graph.values.size(), -1);
  out.first_.assign(graph.values.size(), 0);
  out.constant_.assign(graph.values.size(), 0);
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const auto id = static_cast<graph::ValueId>(v);
    out.constant_[v] = pass.axes().constant(id) ? 1 : 0;
    if (!pass.axes().ranked(id)) continue;
    const auto axes = pass.axes().of(id);
    out.rank_[v] = static_cast<std::int32_t>(axes.size());
    out.first_[v] = out.pool_.size();
    out.pool_.insert(out.pool_.end(), axes.begin(), axes.end());
  }
  for (Axis& axis : out.pool_) {
    if (axis.factors < 0) continue;
    const auto list = state.factors(axis);
    axis.factors = static_cast<std::int32_t>(out.lists_.size());
    out.lists_.push_back(list);
  }

  // Sites in file order: initializers first, then Constant nodes.
  std::vector<graph::ValueId> order;
  for (const graph::Initializer& initializer : graph.initializers) order.push_back(initializer.value);
  for (const graph::Node& node : graph.nodes)
    if (node.is("Constant") && node.output(0) != graph::no_value) order.push_back(node.output(0));
  std::vector<Signature> signatures(out.units_.size());
  std::vector<Site> sites;
  std::vector<std::vector<std::int32_t>> on_site;  // distinct units per site
  std::vector<std::int32_t> last_seen(out.units_.size(), -1);
  for (graph::ValueId value : order) {
    const auto axes = out.axes(value);
    bool any = false;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (!axes[k].tracked()) continue;
      any = true;
      const auto site = static_cast<std::int32_t>(sites.size());
      sites.push_back({value, static_cast<std::int32_t>(k)});
      on_site.emplace_back();
      for (const Factor& f : out.factors(axes[k])) {
        if (f.track == no_track) continue;
        for (std::int32_t u : out.track(f.track)) {
          if (last_seen[at(u)] == site) continue;
          last_seen[at(u)] = site;
          on_site.back().push_back(u);
          signatures[at(u)].add(site);
        }
      }
    }
    if (any) out.constants_.push_back(value);
  }
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::int32_t> group_of;
  for (std::size_t s = 0; s < sites.size(); ++s)
    for (std::int32_t u : on_site[s]) {
      Unit& unit = out.units_[at(u)];
      const Signature& signature = signatures[at(u)];
      if (unit.group < 0) {
        const auto [it, added] =
            group_of.try_emplace({signature.a, signature.b}, static_cast<std::int32_t>(out.groups_.size()));
        if (added) out.groups_.emplace_back();
        unit.group = it->second;
        Group& group = out.groups_[at(unit.group)];
        if (unit.locked)
          ++group.locked;
        else
          group.units.push_back(u);
      }
      auto& mine = out.groups_[at(unit.group)].sites;
      if (mine.empty() || mine.back() != sites[s]) mine.push_back(sites[s]);
    }
  // A unit without any site can't be removed from a file.
  for (Unit& unit : out.units_)
    if (unit.group < 0 && !unit.locked) {
      unit.locked = true;
      unit.reason = Reason::no_activation;
    }
  return out;
}

}  // namespace coppice::coupling
