#include <limits>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

constexpr std::int64_t to_the_end = std::numeric_limits<std::int64_t>::max();

ValueId index_scalar(Site& site, std::int64_t index) {
  return site.table(at::scalar_tensor(index, at::TensorOptions(at::kLong)), "index");
}

// (x, axis, index)
bool select(Site& site) {
  site.out(site.op("Gather", {site.in(0), index_scalar(site, site.integer(2))}, {attr("axis", site.axis_of(1))}));
  return true;
}

ValueId sliced(Site& site, ValueId x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step,
               std::string_view part = {}) {
  std::vector<ValueId> inputs{x, site.constant({begin}, "begin"), site.constant({end}, "end"),
                              site.constant({axis}, "axis")};
  if (step != 1) inputs.push_back(site.constant({step}, "step"));
  return site.op("Slice", std::move(inputs), {}, part);
}

// (x, axis, begin, end, step)
bool slice(Site& site) {
  if (site.out_shape() == site.shape(0)) return same(site);
  site.out(
      sliced(site, site.in(0), site.axis_of(1), site.integer(2, 0), site.integer(3, to_the_end), site.integer(4, 1)));
  return true;
}

// (x, axis, begin, length)
bool narrow(Site& site) {
  if (site.is_tensor(2)) return false;
  if (site.out_shape() == site.shape(0)) return same(site);
  const std::int64_t axis = site.axis_of(1);
  const std::int64_t begin = site.axis(site.integer(2), site.shape(0)[static_cast<std::size_t>(axis)]);
  site.out(sliced(site, site.in(0), axis, begin, begin + site.integer(3), 1));
  return true;
}

// (x, axis, indices)
bool index_select(Site& site) {
  site.out(site.op("Gather", {site.in(0), site.in(2)}, {attr("axis", site.axis_of(1))}));
  return true;
}

// (x, axis, indices)
bool gather(Site& site) {
  site.out(site.op("GatherElements", {site.in(0), site.in(2)}, {attr("axis", site.axis_of(1))}));
  return true;
}

// (x, one list of indices an axis, or none)
bool index(Site& site) {
  const auto types = site.dtypes(1);
  const auto indices = site.list(1);
  std::size_t axis = indices.size();
  for (std::size_t k = 0; k < indices.size(); ++k) {
    if (indices[k] == graph::no_value) continue;
    if (axis != indices.size() || types[k] == at::kBool || types[k] == at::kByte) return false;
    axis = k;
  }
  if (axis == indices.size()) return same(site);
  site.out(site.op("Gather", {site.in(0), indices[axis]}, {attr("axis", static_cast<std::int64_t>(axis))}));
  return true;
}

// (weight, indices)
bool embedding(Site& site) {
  site.out(site.op("Gather", {site.in(0), site.in(1)}, {attr("axis", 0)}));
  return true;
}

// (weight, indices, offsets, by_frequency, mode, sparse, sample_weights, include_last, padding): bags of one size.
bool embedding_bag(Site& site) {
  const std::optional<Ints> offsets = site.known(2);
  const std::int64_t mode = site.integer(4), indices = site.rank(1) == 1 ? site.shape(1)[0] : 0;
  if (!offsets || offsets->empty() || mode < 0 || mode > 2 || site.flag(7) || site.integer(8, -1) >= 0) return false;
  for (std::size_t k = 1; k < site.results(); ++k)
    if (site.wanted(k)) return false;
  const auto bags = static_cast<std::int64_t>(offsets->size()), size = indices / bags;
  for (std::int64_t k = 0; k < bags; ++k)
    if ((*offsets)[static_cast<std::size_t>(k)] != k * size) return false;
  if (size == 0 || indices != bags * size) return false;
  const auto in_bags = [&](std::size_t i, Ints shape, std::string_view part) {
    return site.op("Reshape", {site.in(i), site.constant(std::move(shape), std::string(part) + "_shape")}, {}, part);
  };
  ValueId found = site.op("Gather", {site.in(0), in_bags(1, {-1, size}, "bags")}, {attr("axis", 0)}, "embedded");
  if (site.has(6)) found = site.op("Mul", {found, in_bags(6, {-1, size, 1}, "weights")}, {}, "weighted");
  if (mode == 0) {
    site.out(site.op("ReduceSum", {found, site.constant({1}, "axes")}, {attr("keepdims", 0)}));
  } else {
    site.out(site.op(mode == 1 ? "ReduceMean" : "ReduceMax", {found}, {attr("axes", Ints{1}), attr("keepdims", 0)}));
  }
  return true;
}

// Parts along an axis. Parts of equal size need no literals where their number is what was asked for.
bool split_into(Site& site, std::int64_t axis, bool by_number) {
  const std::size_t parts = site.results();
  if (parts == 1) return same(site);
  Ints sizes;
  for (std::size_t k = 0; k < parts; ++k) sizes.push_back(site.out_shape(k)[static_cast<std::size_t>(axis)]);
  const bool equal = by_number && sizes == Ints(parts, sizes[0]);
  std::vector<ValueId> inputs{site.in(0)};
  if (!equal) inputs.push_back(site.constant(sizes, "sizes"));
  const auto found = site.ops("Split", std::move(inputs), parts, {attr("axis", axis)});
  for (std::size_t k = 0; k < parts; ++k) site.out(found[k], k);
  return true;
}

// (x, number, axis)
bool chunk(Site& site) {
  return split_into(site, site.axis(site.integer(2, 0), site.rank(0)), true);
}

// (x, size or sizes, axis)
bool split(Site& site) {
  return split_into(site, site.axis(site.integer(2, 0), site.rank(0)), false);
}

// (x, number or places, axis)
bool tensor_split(Site& site) {
  if (site.is_tensor(1)) return false;
  return split_into(site, site.axis(site.integer(2, 0), site.rank(0)), !site.is_list(1));
}

// (x, axis)
bool unbind(Site& site) {
  const std::int64_t axis = site.axis(site.integer(1, 0), site.rank(0));
  for (std::size_t k = 0; k < site.results(); ++k)
    site.out(site.op("Gather", {site.in(0), index_scalar(site, static_cast<std::int64_t>(k))}, {attr("axis", axis)}),
             k);
  return true;
}

// (x, axes): backwards.
bool flip(Site& site) {
  ValueId x = site.in(0);
  for (const std::int64_t axis : site.ints(1)) x = sliced(site, x, site.axis(axis, site.rank(0)), -1, -to_the_end, -1);
  site.out(x);
  return true;
}

// (x, shifts, axes)
bool roll(Site& site) {
  const Ints shifts = site.ints(1), axes = site.ints(2), shape = site.shape(0);
  if (axes.size() != shifts.size()) return false;
  ValueId x = site.in(0);
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const std::int64_t axis = site.axis(axes[k], site.rank(0)), extent = shape[static_cast<std::size_t>(axis)];
    const std::int64_t shift = extent == 0 ? 0 : ((shifts[k] % extent) + extent) % extent;
    if (shift == 0) continue;
    const ValueId tail = sliced(site, x, axis, -shift, to_the_end, 1, "tail");
    const ValueId head = sliced(site, x, axis, 0, -shift, 1, "head");
    x = site.op("Concat", {tail, head}, {attr("axis", axis)});
  }
  site.out(x);
  return true;
}

// (tensors, axis); an empty vector in the list counts for nothing.
bool cat(Site& site) {
  const auto types = site.dtypes(0);
  const auto shapes = site.shapes(0);
  const auto tensors = site.list(0);
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < tensors.size(); ++k)
    if (shapes[k] != Ints{0}) inputs.push_back(site.cast(tensors[k], types[k], site.out_dtype()));
  const auto rank = static_cast<std::int64_t>(site.out_shape().size());
  site.out(inputs.size() == 1
               ? inputs[0]
               : site.op("Concat", std::move(inputs), {attr("axis", site.axis(site.integer(1, 0), rank))}));
  return true;
}

// (tensors, axis)
bool stack(Site& site) {
  const auto types = site.dtypes(0);
  const auto tensors = site.list(0);
  const std::int64_t axis = site.axis(site.integer(1, 0), static_cast<std::int64_t>(site.out_shape().size()));
  std::vector<ValueId> inputs;
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    const ValueId converted = site.cast(tensors[k], types[k], site.out_dtype());
    inputs.push_back(site.op("Unsqueeze", {converted, site.constant({axis}, "axes")}, {}, "raised"));
  }
  site.out(inputs.size() == 1 ? inputs[0] : site.op("Concat", std::move(inputs), {attr("axis", axis)}));
  return true;
}

// (x, diagonal)
bool triangle(Site& site) {
  const ValueId diagonal = site.table(at::scalar_tensor(site.integer(1, 0), at::TensorOptions(at::kLong)), "diagonal");
  site.out(site.op("Trilu", {site.in(0), diagonal}, {attr("upper", site.name() == "triu" ? 1 : 0)}));
  return true;
}

// (indices, number of classes)
bool one_hot(Site& site) {
  if (site.integer(1, -1) < 0) return false;  // it depends on the data
  const ValueId depth = site.table(at::scalar_tensor(site.integer(1), at::TensorOptions(at::kLong)), "depth");
  site.out(site.op("OneHot", {site.in(0), depth, site.constant({0, 1}, "values")}, {attr("axis", -1)}));
  return true;
}

}  // namespace

void add_select_rules(std::vector<RuleEntry>& rules) {
  for (const std::string_view op : {"chunk", "unsafe_chunk"}) rules.push_back({op, chunk});
  for (const std::string_view op : {"split", "unsafe_split", "split_with_sizes", "unsafe_split_with_sizes"})
    rules.push_back({op, split});
  for (const std::string_view op : {"tril", "triu"}) rules.push_back({op, triangle});
  rules.push_back({"select", select});
  rules.push_back({"slice", slice});
  rules.push_back({"narrow", narrow});
  rules.push_back({"index_select", index_select});
  rules.push_back({"gather", gather});
  rules.push_back({"index", index});
  rules.push_back({"embedding", embedding});
  rules.push_back({"embedding_bag", embedding_bag});
  rules.push_back({"tensor_split", tensor_split});
  rules.push_back({"unbind", unbind});
  rules.push_back({"flip", flip});
  rules.push_back({"roll", roll});
  rules.push_back({"cat", cat});
  rules.push_back({"stack", stack});
  rules.push_back({"one_hot", one_hot});
}

}  // namespace coppice::tracing
