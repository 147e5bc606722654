#include <algorithm>

#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

void reduce(RuleContext& c, Mixing how) {
  const std::size_t rank = c.rank(0);
  std::vector<std::uint8_t> reduced(rank, 0);
  const auto axes = c.ints(1, "axes");
  if (c.has(1) && !axes) {
    c.lock_all(Reason::unknown_shape);
    return;
  }
  if (axes && !axes->empty()) {
    for (std::int64_t k : *axes) reduced[RuleContext::wrap(k, rank)] = 1;
  } else if (c.node().int_or("noop_with_empty_axes", 0) == 0) {
    std::fill(reduced.begin(), reduced.end(), std::uint8_t{1});
  }
  const bool keep = c.node().int_or("keepdims", 1) != 0;
  std::size_t o = 0;
  for (std::size_t k = 0; k < rank; ++k) {
    if (reduced[k]) {
      c.mix(how, 0, k);
      if (keep) ++o;
    } else {
      c.set(0, o++, c.axis(0, k));
    }
  }
}

template <Mixing how>
void reduce_rule(RuleContext& c) {
  reduce(c, how);
}

// Positions along the axis are the result.
void arg_rule(RuleContext& c) {
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", 0), c.rank(0));
  const bool keep = c.node().int_or("keepdims", 1) != 0;
  c.lock(c.axis(0, axis), Reason::ordered_axis);
  for (std::size_t k = 0, o = 0; k < c.rank(0); ++k) {
    if (k != axis)
      c.set(0, o++, c.axis(0, k));
    else if (keep)
      ++o;
  }
}

// The order along one axis has a meaning; the others pass.
void along_axis(RuleContext& c, std::size_t axis) {
  c.lock(c.axis(0, axis), Reason::ordered_axis);
  for (std::size_t out = 0; out < c.node().outputs.size(); ++out) {
    if (!c.has_output(out)) continue;
    for (std::size_t k = 0; k < c.rank(0); ++k)
      if (k != axis) c.set(out, k, c.axis(0, k));
  }
}

void top_k(RuleContext& c) {
  along_axis(c, RuleContext::wrap(c.node().int_or("axis", -1), c.rank(0)));
}

void cum_sum(RuleContext& c) {
  const auto axis = c.ints(1);
  if (!axis || axis->size() != 1) return c.lock_all(Reason::indexed_by_data);
  along_axis(c, RuleContext::wrap((*axis)[0], c.rank(0)));
}

void reverse_sequence(RuleContext& c) {
  c.lock(c.axis(0, RuleContext::wrap(c.node().int_or("batch_axis", 1), c.rank(0))), Reason::ordered_axis);
  along_axis(c, RuleContext::wrap(c.node().int_or("time_axis", 0), c.rank(0)));
}

void trilu(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  for (std::size_t k = rank - 2; k < rank; ++k) c.lock(c.axis(0, k), Reason::ordered_axis);
  same_axes(c);
}

}  // namespace

void add_reduce_rules(std::vector<RuleEntry>& rules) {
  for (std::string_view op : {"ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare"})
    rules.push_back({"", op, reduce_rule<Mixing::sum>});
  rules.push_back({"", "ReduceMean", reduce_rule<Mixing::mean>});
  rules.push_back({"", "ReduceMax", reduce_rule<Mixing::max>});
  rules.push_back({"", "ReduceMin", reduce_rule<Mixing::min>});
  rules.push_back({"", "ReduceProd", reduce_rule<Mixing::product>});
  rules.push_back({"", "ReduceLogSumExp", reduce_rule<Mixing::exponential>});
  rules.push_back({"", "ReduceLogSum", reduce_rule<Mixing::sum>});
  rules.push_back({"", "ArgMax", arg_rule});
  rules.push_back({"", "ArgMin", arg_rule});
  rules.push_back({"", "TopK", top_k});
  rules.push_back({"", "CumSum", cum_sum});
  rules.push_back({"", "ReverseSequence", reverse_sequence});
  rules.push_back({"", "Trilu", trilu});
}

}  // namespace coppice::coupling
