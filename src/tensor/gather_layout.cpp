#include "tensor/gather_layout.hpp"

#include <algorithm>

#include "tensor/checks.hpp"

namespace coppice::tensor {
namespace {

bool keeps_all(std::span<const std::int64_t> indices, std::int64_t extent) {
  if (static_cast<std::int64_t>(indices.size()) != extent) return false;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

}  // namespace

GatherLayout::GatherLayout(const Tensor& tensor, const std::vector<AxisIndices>& lists)
    : source(tensor.shape), result(tensor.shape), kept(tensor.shape.size()), cut(tensor.shape.size(), false) {
  check_bytes("gather_axes", tensor);
  std::vector<std::size_t> axes;
  for (const auto& [axis, indices] : lists) axes.push_back(axis);
  check_axes("gather_axes", source, axes);
  for (const auto& [axis, indices] : lists) {
    check_indices("gather_axes", axis, source[axis], indices);
    if (keeps_all(indices, source[axis])) continue;
    any_cut = cut[axis] = true;
    kept[axis] = indices;
    result[axis] = static_cast<std::int64_t>(indices.size());
    last = std::max(last, axis);
  }
  elements = element_count(result);
  if (!any_cut || elements == 0) return;
  stride.resize(last);
  std::size_t units = static_cast<std::size_t>(source[last]);
  for (std::size_t axis = last; axis-- > 0;) {
    stride[axis] = units;
    units *= static_cast<std::size_t>(source[axis]);
    rows *= static_cast<std::size_t>(result[axis]);
  }
  for (std::size_t axis = last + 1; axis < source.size(); ++axis) inner *= static_cast<std::size_t>(source[axis]);
  kept_last = kept[last].size();
}

GatherCursor::GatherCursor(const GatherLayout& layout, std::size_t row) : layout_(layout), position_(layout.last) {
  for (std::size_t axis = layout.last; axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(layout.result[axis]);
    position_[axis] = row % extent;
    row /= extent;
    start_ += source_index(axis) * layout.stride[axis];
  }
}

void GatherCursor::advance() {
  for (std::size_t axis = layout_.last; axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(layout_.result[axis]);
    start_ -= source_index(axis) * layout_.stride[axis];
    position_[axis] = position_[axis] + 1 == extent ? 0 : position_[axis] + 1;
    start_ += source_index(axis) * layout_.stride[axis];
    if (position_[axis] != 0) return;
  }
}

}  // namespace coppice::tensor
