#include <numeric>

#include "support/random/maker.hpp"

namespace coppice::test {

// The batch is written as exporters do: copied (0), left over (-1), computed from Shape, or as a number.
ValueId Maker::reshape_target(const Feature& x, const Shape& shape) {
  std::vector<std::int64_t> rest(shape.begin() + 1, shape.end());
  std::vector<std::int64_t> whole = shape;
  if (shape[0] != x[0]) {  // The batch merges with another axis.
    whole[0] = -1;
    return builder.ints(whole);
  }
  const std::int64_t way = pick(0, dynamic_batch ? 3 : 4);
  if (way == 4) return builder.ints(whole);
  if (way <= 1) {
    whole[0] = way == 0 ? 0 : -1;
    return builder.ints(whole);
  }
  if (way == 2 && rest.size() > 1) {
    // One more extent is left over.
    whole[0] = 0;
    whole[static_cast<std::size_t>(pick(1, static_cast<std::int64_t>(rest.size())))] = -1;
    return builder.ints(whole);
  }
  const ValueId all = builder.op("Shape", {x});
  const ValueId first = builder.op("Gather", {all, builder.ints({0})}, {graph::attr("axis", 0)});
  return builder.op("Concat", {first, builder.ints(rest)}, {graph::attr("axis", 0)});
}

Feature Maker::reshape(const Feature& x, Shape shape) {
  return op("Reshape", {x, reshape_target(x, shape)}, shape);
}

Feature Maker::transpose(const Feature& x, std::vector<std::int64_t> order) {
  Shape shape;
  for (std::int64_t axis : order) shape.push_back(x[static_cast<std::size_t>(axis)]);
  return op("Transpose", {x}, shape, {ints("perm", order)});
}

Feature Maker::slice(const Feature& x, std::size_t axis, std::int64_t from, std::int64_t to) {
  Shape shape = x.shape;
  shape[axis] = to - from;
  // Exporters write the open end as the largest number, or count from the back.
  const std::int64_t extent = x[axis];
  const std::int64_t end = to == extent && chance(0.5) ? INT64_MAX : chance(0.3) && to < extent ? to - extent : to;
  return op("Slice",
            {x, builder.ints({from}), builder.ints({end}), builder.ints({static_cast<std::int64_t>(axis)}),
             builder.ints({1})},
            shape);
}

std::vector<Feature> Maker::split(const Feature& x, std::size_t axis, std::vector<std::int64_t> sizes) {
  const std::vector<ValueId> ids =
      builder.op_multi("Split", {x, builder.ints(sizes)}, sizes.size(), {graph::attr("axis", static_cast<int>(axis))});
  std::vector<Feature> parts;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    parts.push_back({ids[i], x.shape});
    parts.back().shape[axis] = sizes[i];
  }
  return parts;
}

Feature Maker::concat(std::vector<Feature> parts, std::size_t axis) {
  Shape shape = parts[0].shape;
  std::vector<ValueId> ids;
  shape[axis] = 0;
  for (const Feature& part : parts) {
    shape[axis] += part[axis];
    ids.push_back(part);
  }
  const int written = chance(0.3) ? static_cast<int>(axis) - static_cast<int>(shape.size()) : static_cast<int>(axis);
  return op("Concat", ids, shape, {graph::attr("axis", written)});
}

Feature Maker::unsqueeze(const Feature& x, std::vector<std::int64_t> axes) {
  Shape shape = x.shape;
  for (std::int64_t axis : axes) shape.insert(shape.begin() + axis, 1);
  return op("Unsqueeze", {x, builder.ints(axes)}, shape);
}

Feature Maker::squeeze(const Feature& x, std::vector<std::int64_t> axes) {
  Shape shape = x.shape;
  for (std::size_t i = axes.size(); i-- > 0;) shape.erase(shape.begin() + axes[i]);
  return op("Squeeze", {x, builder.ints(axes)}, shape);
}

}  // namespace coppice::test
