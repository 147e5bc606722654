#include <algorithm>

#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

void reshape(RuleContext& c) {
  c.set(0, c.state().reshape(c.axes(0), c.out_shape(), c.index()));
}

void transpose(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  const auto perm = c.node().ints("perm");
  if (!perm.empty() && perm.size() != rank) return c.lock_all(Reason::unknown_shape);
  for (std::size_t k = 0; k < rank; ++k)
    c.set(0, k, c.axis(0, perm.empty() ? rank - 1 - k : RuleContext::wrap(perm[k], rank)));
}

// Which axes of a rank are in a list that may count from the end.
std::vector<std::uint8_t> marks(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<std::uint8_t> out(rank, 0);
  for (std::int64_t k : axes) {
    out[RuleContext::wrap(k, rank)] = 1;
  }
  return out;
}

void squeeze(RuleContext& c) {
  const auto axes = c.ints(1, "axes");
  if (c.has(1) && !axes) return c.lock_all(Reason::unknown_shape);
  auto gone = axes ? marks(*axes, c.rank(0)) : std::vector<std::uint8_t>(c.rank(0), 0);
  if (!axes)
    for (std::size_t k = 0; k < gone.size(); ++k) gone[k] = c.shape(0)[k] == 1;
  for (std::size_t k = 0, o = 0; k < gone.size(); ++k) {
    if (gone[k])
      c.lock(0, k, Reason::picked);
    else
      c.set(0, o++, c.axis(0, k));
  }
}

void unsqueeze(RuleContext& c) {
  const auto axes = c.ints(1, "axes");
  if (!axes) return c.lock_all(Reason::unknown_shape);
  const auto added = marks(*axes, c.out_rank());
  for (std::size_t o = 0, k = 0; o < added.size(); ++o)
    if (!added[o] && k < c.rank(0)) c.set(0, o, c.axis(0, k++));
}

void expand(RuleContext& c) {
  const std::size_t rank = c.out_rank(), own = c.rank(0);
  for (std::size_t o = 0; o < rank; ++o) {
    const std::int64_t length = c.out_shape()[o];
    if (o + own >= rank) {
      const std::size_t k = o + own - rank;
      if (c.shape(0)[k] == length) {
        c.set(0, o, c.axis(0, k));
        continue;
      }
      c.lock(0, k, Reason::broadcast_slice);
    }
    if (length > 1) c.set(0, o, c.state().fresh_axis(length, State::replicated));
  }
}

void tile(RuleContext& c) {
  for (std::size_t k = 0; k < c.rank(0); ++k) {
    const std::int64_t from = c.shape(0)[k], to = c.out_shape()[k];
    if (from == to) {
      c.set(0, k, c.axis(0, k));
    } else if (from == 1) {
      c.lock(0, k, Reason::broadcast_slice);
      c.set(0, k, c.state().fresh_axis(to, State::replicated));
    } else if (from > 0) {
      const Axis axis = c.axis(0, k);
      const std::vector<Factor> repeat{{to / from, no_track}};
      std::vector<Factor> factors = repeat;
      c.state().append_factors(axis, factors);
      c.set(0, k, c.state().make_axis(factors, axis.why));
    }
  }
}

void concat(RuleContext& c) {
  const std::size_t rank = c.out_rank();
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", 1), rank);
  const std::size_t n = c.node().inputs.size();
  for (std::size_t k = 0; k < rank; ++k) {
    if (k == axis) {
      bool tracked = false;
      for (std::size_t i = 0; i < n; ++i) tracked = tracked || c.peek(i, k).tracked() || c.constant(i);
      std::vector<Axis> parts;
      for (std::size_t i = 0; i < n; ++i) parts.push_back(tracked ? c.axis(i, k) : c.peek(i, k));
      c.set(0, k, c.state().concat(parts, c.index()));
    } else {
      // Axes of length one have nothing to say, and constants need no units for them.
      if (c.out_shape()[k] == 1) continue;
      Axis out = c.axis(0, k);
      for (std::size_t i = 1; i < n; ++i) out = c.meet(out, c.axis(i, k));
      c.set(0, k, out);
    }
  }
}

// D2S: channel index = (b, b, c) or (c, b, b); the blocks become space, c stays the channel.
void depth_to_space(RuleContext& c) {
  const std::int64_t block = c.node().int_or("blocksize", 1);
  if (block < 1 || block > INT16_MAX) return c.lock_all(Reason::unknown_shape);
  const bool column_row = c.node().string_or("mode", "DCR") == "CRD";
  const std::int64_t depth = c.out_shape()[1];
  const Axis in = c.axis(0, 1);
  const std::vector<std::int64_t> dims =
      column_row ? std::vector<std::int64_t>{depth, block * block} : std::vector<std::int64_t>{block * block, depth};
  const auto parts = c.state().reshape({&in, 1}, dims, c.index());
  c.lock(parts[column_row ? 1 : 0], Reason::fixed_axis);
  c.set(0, 1, parts[column_row ? 0 : 1]);
  c.set(0, 0, c.axis(0, 0));
  c.lock_from(0, 2, Reason::fixed_axis);
}

// S2D: channel index = (b, b, c).
void space_to_depth(RuleContext& c) {
  const std::int64_t block = c.node().int_or("blocksize", 1);
  if (block < 1 || block > INT16_MAX) return c.lock_all(Reason::unknown_shape);
  std::vector<Factor> factors{{block * block, no_track}};
  const Axis in = c.axis(0, 1);
  c.state().append_factors(in, factors);
  c.set(0, 1, c.state().make_axis(factors, in.why));
  c.set(0, 0, c.axis(0, 0));
  c.lock_from(0, 2, Reason::fixed_axis);
}

}  // namespace

void add_shape_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "Reshape", reshape});
  rules.push_back({"", "Flatten", reshape});
  rules.push_back({"", "Transpose", transpose});
  rules.push_back({"", "Squeeze", squeeze});
  rules.push_back({"", "Unsqueeze", unsqueeze});
  rules.push_back({"", "Expand", expand});
  rules.push_back({"", "Tile", tile});
  rules.push_back({"", "Concat", concat});
  rules.push_back({"", "DepthToSpace", depth_to_space});
  rules.push_back({"", "SpaceToDepth", space_to_depth});
}

}  // namespace coppice::coupling
