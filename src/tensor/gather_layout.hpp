#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/tensor/kernels.hpp"

namespace coppice::tensor {

/// Where the elements of a gathered tensor come from, as a list of rows. A row is one setting of the axes before the
/// last cut one: it runs along that axis, and each of its units carries all axes behind it (`inner` elements).
struct GatherLayout {
  /// Checks the arguments of gather_axes. The index lists must outlive the layout.
  GatherLayout(const Tensor& tensor, const std::vector<AxisIndices>& kept);

  Shape source, result;
  std::vector<std::span<const std::int64_t>> kept;  ///< Of each axis; unused where `cut` is false.
  std::vector<bool> cut;                            ///< Axes that lose an index or change their order.
  bool any_cut = false;
  std::int64_t elements = 0;  ///< Of the result. Nothing below is set when it is 0, or when nothing is cut.
  std::size_t last = 0;       ///< The last cut axis.
  std::size_t rows = 1, inner = 1, kept_last = 0;
  std::vector<std::size_t> stride;  ///< Of each axis before `last`, in units of the last cut axis.
};

/// Walks the rows of a layout in order and knows where each begins in the source, in units of the last cut axis.
class GatherCursor {
 public:
  GatherCursor(const GatherLayout& layout, std::size_t row);
  std::size_t start() const { return start_; }
  void advance();

 private:
  std::size_t source_index(std::size_t axis) const {
    return layout_.cut[axis] ? static_cast<std::size_t>(layout_.kept[axis][position_[axis]]) : position_[axis];
  }

  const GatherLayout& layout_;
  std::vector<std::size_t> position_;
  std::size_t start_ = 0;
};

}  // namespace coppice::tensor
