#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

// Ties index j of every block of `hidden` indices with unit j.
void tie_blocks(RuleContext& c, const Axis& axis, const Axis& hidden) {
  const auto ids = c.state().ids(axis.track), units = c.state().ids(hidden.track);
  if (units.empty() || ids.size() % units.size() != 0) return c.lock_all(Reason::unknown_shape);
  for (std::size_t i = 0; i < ids.size(); ++i) c.state().unite(units[i % units.size()], ids[i]);
}

// A hidden unit ties its row in every gate of W, R and B, its column in R, its peepholes, and its place in the states.
// Directions share W's row axis, so a unit goes from both.
void recurrent(RuleContext& c, std::size_t last_state, int peepholes) {
  c.mix_contraction(0, 2, 1, 2);
  const Axis hidden = c.axis(2, 2);
  for (std::size_t i = 1; i <= 3; ++i) {
    if (!c.has(i)) continue;
    const Axis rows = c.state().flatten(c.axis(i, 1), c.index());
    if (!rows.tracked() || !hidden.tracked() || hidden.factors >= 0) return c.lock_all(Reason::mixed_by_reshape);
    tie_blocks(c, rows, hidden);
  }
  if (peepholes > 0 && c.has(static_cast<std::size_t>(peepholes)))
    tie_blocks(c, c.state().flatten(c.axis(static_cast<std::size_t>(peepholes), 1), c.index()), hidden);
  c.lock(0, 0, Reason::fixed_axis);
  c.lock(0, 1, Reason::fixed_axis);
  for (std::size_t i : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}})
    if (c.has(i)) c.lock(i, 0, Reason::fixed_axis);  // the directions
  for (std::size_t i = 5; i <= last_state; ++i) {    // initial_h, initial_c
    if (!c.has(i)) continue;
    c.meet(hidden, c.axis(i, 2));
    c.mix(Mixing::state, i, 2, false);
    c.lock(i, 0, Reason::fixed_axis);
    c.lock(i, 1, Reason::fixed_axis);
  }
  if (c.has_output(0)) c.set(0, 3, hidden);
  for (std::size_t o = 1; o < c.node().outputs.size(); ++o)
    if (c.has_output(o)) c.set(o, 2, hidden);
}

void lstm(RuleContext& c) {
  recurrent(c, 6, 7);
}
void gated(RuleContext& c) {
  recurrent(c, 5, -1);
}

}  // namespace

void add_recurrent_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "LSTM", lstm});
  rules.push_back({"", "GRU", gated});
  rules.push_back({"", "RNN", gated});
}

}  // namespace coppice::coupling
