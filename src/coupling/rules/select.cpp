#include <algorithm>

#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

void split(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", 0), rank);
  std::int64_t begin = 0;
  for (std::size_t o = 0; o < c.node().outputs.size(); ++o) {
    if (!c.has_output(o)) return c.lock_all(Reason::unknown_shape);
    const std::int64_t end = begin + c.out_shape(o)[axis];
    for (std::size_t k = 0; k < rank; ++k) {
      const Axis in = c.axis(0, k);
      c.set(o, k, k == axis ? c.state().range(in, begin, end, c.index()) : in);
    }
    begin = end;
  }
}

void slice(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  const auto starts = c.ints(1, "starts"), ends = c.ints(2, "ends"), steps = c.ints(4);
  auto axes = c.ints(3, "axes");
  if ((c.has(3) && !axes) || (!axes && !starts)) return c.lock_all(Reason::indexed_by_data);
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  std::vector<Axis> out = c.axes(0);
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const std::size_t k = RuleContext::wrap((*axes)[i], rank);
    const Axis in = out[k];
    const std::int64_t length = in.length, selected = c.out_shape()[k];
    const std::int64_t step = steps ? (*steps)[i] : 1;
    if (!starts || !ends || (c.has(4) && !steps)) {
      c.lock(in, Reason::indexed_by_data);
      out[k] = State::free_axis(selected, in.why);
    } else if (step != 1 && selected > 1) {
      c.lock(in, Reason::strided);
      out[k] = State::free_axis(selected, in.why);
    } else {
      std::int64_t begin = (*starts)[i] < 0 ? (*starts)[i] + length : (*starts)[i];
      begin = std::clamp<std::int64_t>(begin, 0, length);
      if (begin + selected > length) begin = length - selected;
      out[k] = c.state().range(in, begin, begin + selected, c.index());
    }
  }
  c.set(0, out);
}

void gather(RuleContext& c) {
  const std::size_t rank = c.rank(0), index_rank = c.rank(1);
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", 0), rank);
  const auto indices = c.ints(1);
  c.lock_from(1, 0, Reason::fixed_axis);
  for (std::size_t k = 0, o = 0; k < rank; ++k) {
    if (k != axis) {
      c.set(0, o++, c.axis(0, k));
      continue;
    }
    const std::int64_t length = c.shape(0)[k];
    if (!indices) {
      c.lock(0, k, Reason::indexed_by_data);
    } else if (index_rank == 0) {
      const std::int64_t picked = (*indices)[0] < 0 ? (*indices)[0] + length : (*indices)[0];
      c.lock(c.state().range(c.axis(0, k), picked, picked + 1, c.index()), Reason::picked);
    } else if (index_rank == 1 && c.peek(0, k).tracked()) {
      std::vector<std::int64_t> wrapped;
      for (std::int64_t i : *indices) wrapped.push_back(i < 0 ? i + length : i);
      c.set(0, o, c.state().select(c.axis(0, k), wrapped, c.index()));
    } else {
      c.lock(0, k, Reason::indexed_by_data);
    }
    o += index_rank;
  }
}

void lock_data(RuleContext& c) {
  c.lock_all(Reason::indexed_by_data);
}

// Indices address the leading axes; the trailing ones pass.
void gather_nd(RuleContext& c) {
  const std::int64_t batch = c.node().int_or("batch_dims", 0);
  if (batch < 0 || c.shape(1).back() > static_cast<std::int64_t>(c.rank(0)) - batch)
    return c.lock_all(Reason::unknown_shape);
  const auto addressed = static_cast<std::size_t>(batch + c.shape(1).back());
  c.lock_from(1, 0, Reason::fixed_axis);
  for (std::size_t k = 0; k < std::min(addressed, c.rank(0)); ++k) c.lock(0, k, Reason::indexed_by_data);
  for (std::size_t k = addressed; k < c.rank(0); ++k) c.set(0, k + c.rank(1) - 1 - addressed, c.axis(0, k));
}

void scatter_nd(RuleContext& c) {
  const auto addressed = static_cast<std::size_t>(c.shape(1).back());
  c.lock_from(1, 0, Reason::fixed_axis);
  for (std::size_t k = 0; k < c.rank(0); ++k) {
    if (k < addressed) {
      c.lock(c.axis(0, k), Reason::indexed_by_data);
      continue;
    }
    const std::size_t u = c.rank(1) - 1 + (k - addressed);
    c.set(0, k, c.meet(c.axis(0, k), c.axis(2, u)));
  }
  for (std::size_t u = 0; u + 1 < c.rank(1); ++u) c.lock(2, u, Reason::indexed_by_data);
}

void compress(RuleContext& c) {
  if (!c.node().has("axis")) return c.lock_all(Reason::indexed_by_data);
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", 0), c.rank(0));
  for (std::size_t k = 0; k < c.rank(0); ++k) {
    if (k == axis)
      c.lock(c.axis(0, k), Reason::indexed_by_data);
    else
      c.set(0, k, c.axis(0, k));
  }
}

void pad(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  const auto pads = c.ints(1, "pads");
  auto axes = c.ints(3);
  if (!pads || (c.has(3) && !axes)) return c.lock_all(Reason::unknown_shape);
  std::vector<std::int64_t> begin(rank, 0), end(rank, 0);
  if (!axes) {
    axes.emplace();
    for (std::size_t k = 0; k < rank; ++k) axes->push_back(static_cast<std::int64_t>(k));
  }
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const std::size_t k = RuleContext::wrap((*axes)[i], rank);
    begin[k] = (*pads)[i];
    end[k] = (*pads)[i + axes->size()];
  }
  const bool constant = c.node().string_or("mode", "constant") == "constant";
  for (std::size_t k = 0; k < rank; ++k) {
    Axis in = c.axis(0, k);
    if (begin[k] == 0 && end[k] == 0) {
      c.set(0, k, in);
    } else if (!in.tracked()) {
      continue;
    } else if (!constant) {
      c.lock(in, Reason::ordered_axis);
    } else {
      const std::int64_t from = std::max<std::int64_t>(0, -begin[k]),
                         to = in.length - std::max<std::int64_t>(0, -end[k]);
      in = c.state().range(in, from, to, c.index());
      std::vector<Axis> parts;
      if (begin[k] > 0) parts.push_back(c.state().fresh_axis(begin[k]));
      parts.push_back(in);
      if (end[k] > 0) parts.push_back(c.state().fresh_axis(end[k]));
      c.set(0, k, c.state().concat(parts, c.index()));
    }
  }
}

}  // namespace

void add_select_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "Split", split});
  rules.push_back({"", "Slice", slice});
  rules.push_back({"", "Gather", gather});
  rules.push_back({"", "GatherND", gather_nd});
  rules.push_back({"", "ScatterND", scatter_nd});
  for (std::string_view op : {"GatherElements", "ScatterElements", "Scatter", "NonZero", "OneHot", "Unique"})
    rules.push_back({"", op, lock_data});
  rules.push_back({"", "Compress", compress});
  rules.push_back({"", "Pad", pad});
}

}  // namespace coppice::coupling
