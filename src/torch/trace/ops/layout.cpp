#include <algorithm>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

ValueId reshaped(Site& site, ValueId x, Ints shape, std::string_view part = {}) {
  return site.op("Reshape", {x, site.constant(std::move(shape), "shape")}, {}, part);
}

// (x, shape)
bool view(Site& site) {
  if (!site.is_list(1)) return false;  // a view as another element type
  site.out(reshaped(site, site.in(0), site.ints(1)));
  return true;
}

bool view_as(Site& site) {
  site.out(reshaped(site, site.in(0), site.out_shape()));
  return true;
}

// (x, first, last): the merged axes' extent follows from the others.
bool flatten(Site& site) {
  const std::int64_t rank = site.rank(0);
  if (rank == 0) {
    site.out(reshaped(site, site.in(0), {1}));
    return true;
  }
  const std::int64_t first = site.axis(site.integer(1, 0), rank), last = site.axis(site.integer(2, -1), rank);
  if (first == last) return same(site);
  if (first == 1 && last == rank - 1) {
    site.out(site.op("Flatten", {site.in(0)}, {attr("axis", 1)}));
    return true;
  }
  Ints shape(static_cast<std::size_t>(first), 0);
  shape.push_back(-1);
  for (std::int64_t k = last + 1; k < rank; ++k) shape.push_back(site.shape(0)[static_cast<std::size_t>(k)]);
  site.out(reshaped(site, site.in(0), std::move(shape)));
  return true;
}

// (x, axis, extents)
bool unflatten(Site& site) {
  const std::int64_t axis = site.axis_of(1);
  Ints shape(static_cast<std::size_t>(axis), 0);
  const Ints extents = site.ints(2), whole = site.shape(0);
  shape.insert(shape.end(), extents.begin(), extents.end());
  shape.insert(shape.end(), whole.begin() + axis + 1, whole.end());
  site.out(reshaped(site, site.in(0), std::move(shape)));
  return true;
}

bool permuted(Site& site, Ints order) {
  if (std::is_sorted(order.begin(), order.end())) return same(site);
  site.out(site.op("Transpose", {site.in(0)}, {attr("perm", std::move(order))}));
  return true;
}

Ints in_order(std::int64_t rank) {
  Ints out;
  for (std::int64_t k = 0; k < rank; ++k) out.push_back(k);
  return out;
}

bool permute(Site& site) {
  Ints order = site.ints(1);
  for (std::int64_t& axis : order) axis = site.axis(axis, site.rank(0));
  return permuted(site, std::move(order));
}

bool swapped(Site& site, std::int64_t a, std::int64_t b) {
  Ints order = in_order(site.rank(0));
  std::swap(order.at(static_cast<std::size_t>(a)), order.at(static_cast<std::size_t>(b)));
  return permuted(site, std::move(order));
}

bool transpose(Site& site) {
  return swapped(site, site.axis_of(1), site.axis_of(2));
}

bool turn(Site& site) {
  return site.rank(0) < 2 ? same(site) : swapped(site, 0, 1);
}

bool turn_all(Site& site) {
  Ints order = in_order(site.rank(0));
  std::reverse(order.begin(), order.end());
  return permuted(site, std::move(order));
}

bool turn_last(Site& site) {
  return swapped(site, site.rank(0) - 2, site.rank(0) - 1);
}

// (x, from, to), one axis each or lists.
bool movedim(Site& site) {
  const std::int64_t rank = site.rank(0);
  Ints from = site.ints(1), to = site.ints(2), order(static_cast<std::size_t>(rank), -1);
  for (std::size_t k = 0; k < from.size(); ++k) {
    from[k] = site.axis(from[k], rank);
    order[static_cast<std::size_t>(site.axis(to[k], rank))] = from[k];
  }
  std::int64_t next = 0;
  for (std::int64_t& axis : order) {
    if (axis >= 0) continue;
    while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
    axis = next++;
  }
  return permuted(site, std::move(order));
}

bool unsqueeze(Site& site) {
  const std::int64_t axis = site.axis(site.integer(1), site.rank(0) + 1);
  site.out(site.op("Unsqueeze", {site.in(0), site.constant({axis}, "axes")}));
  return true;
}

// (x, axis or axes): those of length one; without axes, all of them.
bool squeeze(Site& site) {
  const Ints shape = site.shape(0);
  Ints wanted = site.has(1) ? site.ints(1) : in_order(site.rank(0)), axes;
  for (const std::int64_t each : wanted) {
    const std::int64_t axis = site.axis(each, site.rank(0));
    if (!shape.empty() && shape[static_cast<std::size_t>(axis)] == 1) axes.push_back(axis);
  }
  if (axes.empty()) return same(site);
  site.out(site.op("Squeeze", {site.in(0), site.constant(std::move(axes), "axes")}));
  return true;
}

// Only the axes that grow have an extent in the target.
bool expand(Site& site) {
  const Ints to = site.out_shape(), from = site.shape(0);
  if (to == from) return same(site);
  const std::size_t added = to.size() - from.size();
  Ints target = to;
  for (std::size_t k = added; k < to.size(); ++k)
    if (from[k - added] == to[k]) target[k] = 1;
  site.out(site.op("Expand", {site.in(0), site.constant(std::move(target), "shape")}));
  return true;
}

// (x, times), with more entries than x has axes at will.
bool repeat(Site& site) {
  const Ints times = site.ints(1);
  const std::int64_t added = static_cast<std::int64_t>(times.size()) - site.rank(0);
  ValueId x = site.in(0);
  if (added > 0) x = site.op("Unsqueeze", {x, site.constant(in_order(added), "axes")}, {}, "raised");
  if (std::all_of(times.begin(), times.end(), [](std::int64_t n) { return n == 1; })) {
    site.out(x);
    return true;
  }
  site.out(site.op("Tile", {x, site.constant(times, "repeats")}));
  return true;
}

// (x, block)
bool pixel_shuffle(Site& site) {
  if (site.rank(0) != 4) return false;
  site.out(
      site.op("DepthToSpace", {site.in(0)}, {attr("blocksize", site.integer(1)), attr("mode", std::string("CRD"))}));
  return true;
}

// ONNX's SpaceToDepth puts the block before the channels, libtorch behind them.
bool pixel_unshuffle(Site& site) {
  if (site.rank(0) != 4) return false;
  const Ints shape = site.shape(0);
  const std::int64_t block = site.integer(1);
  const ValueId split = reshaped(site, site.in(0), {0, 0, shape[2] / block, block, shape[3] / block, block}, "blocks");
  const ValueId moved = site.op("Transpose", {split}, {attr("perm", Ints{0, 1, 3, 5, 2, 4})}, "moved");
  site.out(site.op("Reshape", {moved, site.constant({0, -1, shape[2] / block, shape[3] / block}, "target")}));
  return true;
}

// (x, groups)
bool channel_shuffle(Site& site) {
  const Ints shape = site.shape(0);
  Ints split{0, site.integer(1), -1}, whole{0, -1}, order = in_order(site.rank(0) + 1);
  split.insert(split.end(), shape.begin() + 2, shape.end());
  whole.insert(whole.end(), shape.begin() + 2, shape.end());
  std::swap(order[1], order[2]);
  const ValueId groups = reshaped(site, site.in(0), std::move(split), "groups");
  const ValueId moved = site.op("Transpose", {groups}, {attr("perm", std::move(order))}, "moved");
  site.out(site.op("Reshape", {moved, site.constant(std::move(whole), "target")}));
  return true;
}

// Converts where the element type changes.
bool to(Site& site) {
  site.out(site.in(0, site.out_dtype()));
  return true;
}

}  // namespace

void add_layout_rules(std::vector<RuleEntry>& rules) {
  for (const std::string_view op : {"view", "reshape", "_unsafe_view", "_reshape_alias"}) rules.push_back({op, view});
  for (const std::string_view op : {"to", "_to_copy", "type_as"}) rules.push_back({op, to});
  for (const std::string_view op : {"expand", "expand_as", "broadcast_to"}) rules.push_back({op, expand});
  for (const std::string_view op : {"transpose", "swapaxes", "swapdims"}) rules.push_back({op, transpose});
  for (const std::string_view op : {"movedim", "moveaxis"}) rules.push_back({op, movedim});
  rules.push_back({"pixel_shuffle", pixel_shuffle});
  rules.push_back({"view_as", view_as});
  rules.push_back({"reshape_as", view_as});
  rules.push_back({"flatten", flatten});
  rules.push_back({"unflatten", unflatten});
  rules.push_back({"permute", permute});
  rules.push_back({"t", turn});
  rules.push_back({"numpy_T", turn_all});
  rules.push_back({"mT", turn_last});
  rules.push_back({"unsqueeze", unsqueeze});
  rules.push_back({"squeeze", squeeze});
  rules.push_back({"repeat", repeat});
  rules.push_back({"tile", repeat});
  rules.push_back({"pixel_unshuffle", pixel_unshuffle});
  rules.push_back({"channel_shuffle", channel_shuffle});
}

}  // namespace coppice::tracing
