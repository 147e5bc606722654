#include <algorithm>
#include <cstring>
#include <string>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/checks.hpp"
#include "tensor/decode.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kGrainBytes = std::size_t{1} << 19;
constexpr std::size_t kPieceBytes = std::size_t{1} << 18;

// Indices in a row that are also neighbours in the source: they move together.
struct Run {
  std::size_t from = 0, to = 0, count = 0;  // in units of the last cut axis
};

// The result is a list of rows. A row is one setting of the axes before the last cut one: the runs along that axis,
// each unit of which carries all axes behind it (`inner` elements).
struct Layout {
  Shape source, result;
  std::vector<std::span<const std::int64_t>> kept;  // of each axis; unused where `cut` is false
  std::vector<bool> cut;
  std::size_t last = 0;  // the last cut axis
  std::size_t rows = 1, inner = 1, kept_last = 0;
  std::vector<std::size_t> stride;  // of each axis before `last`, in units of the last cut axis
};

bool keeps_all(std::span<const std::int64_t> indices, std::int64_t extent) {
  if (static_cast<std::int64_t>(indices.size()) != extent) return false;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

Layout lay_out(const Tensor& tensor, const std::vector<AxisIndices>& kept) {
  Layout out;
  out.source = out.result = tensor.shape;
  const std::size_t rank = tensor.shape.size();
  out.kept.resize(rank);
  out.cut.resize(rank, false);
  std::vector<std::size_t> axes;
  for (const auto& [axis, indices] : kept) axes.push_back(axis);
  check_axes("gather_axes", tensor.shape, axes);
  for (const auto& [axis, indices] : kept) {
    check_indices("gather_axes", axis, tensor.shape[axis], indices);
    if (keeps_all(indices, tensor.shape[axis])) continue;
    out.cut[axis] = true;
    out.kept[axis] = indices;
    out.result[axis] = static_cast<std::int64_t>(indices.size());
    out.last = std::max(out.last, axis);
  }
  const bool any_cut = std::find(out.cut.begin(), out.cut.end(), true) != out.cut.end();
  if (!any_cut || element_count(out.result) == 0) return out;
  out.stride.resize(out.last);
  std::size_t stride = static_cast<std::size_t>(out.source[out.last]);
  for (std::size_t axis = out.last; axis-- > 0;) {
    out.stride[axis] = stride;
    stride *= static_cast<std::size_t>(out.source[axis]);
    out.rows *= static_cast<std::size_t>(out.result[axis]);
  }
  for (std::size_t axis = out.last + 1; axis < rank; ++axis) out.inner *= static_cast<std::size_t>(out.source[axis]);
  out.kept_last = out.kept[out.last].size();
  return out;
}

// Walks the rows of a layout in order and knows where each begins in the source.
class RowCursor {
 public:
  RowCursor(const Layout& layout, std::size_t row) : layout_(layout), position_(layout.last) {
    for (std::size_t axis = layout.last; axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(layout.result[axis]);
      position_[axis] = row % extent;
      row /= extent;
      start_ += source_index(axis) * layout.stride[axis];
    }
  }
  std::size_t start() const { return start_; }
  void advance() {
    for (std::size_t axis = layout_.last; axis-- > 0;) {
      start_ -= source_index(axis) * layout_.stride[axis];
      position_[axis] = position_[axis] + 1 == static_cast<std::size_t>(layout_.result[axis]) ? 0 : position_[axis] + 1;
      start_ += source_index(axis) * layout_.stride[axis];
      if (position_[axis] != 0) return;
    }
  }

 private:
  std::size_t source_index(std::size_t axis) const {
    return layout_.cut[axis] ? static_cast<std::size_t>(layout_.kept[axis][position_[axis]]) : position_[axis];
  }
  const Layout& layout_;
  std::vector<std::size_t> position_;
  std::size_t start_ = 0;
};

std::vector<Run> find_runs(std::span<const std::int64_t> indices, std::size_t longest) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto from = static_cast<std::size_t>(indices[i]);
    if (!runs.empty() && runs.back().from + runs.back().count == from && runs.back().count < longest) {
      ++runs.back().count;
    } else {
      runs.push_back({from, i, 1});
    }
  }
  return runs;
}

// Most runs are a few dozen bytes (the kernel of one channel), where the call of memcpy would cost more than the copy.
inline void copy_run(std::byte* to, const std::byte* from, std::size_t size) {
  if (size > 256) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    for (std::size_t i = 0; i + 16 < size; i += 16) __builtin_memcpy(to + i, from + i, 16);
    __builtin_memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    __builtin_memcpy(to, from, 8);
    __builtin_memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    __builtin_memcpy(to, from, 4);
    __builtin_memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

// Calls body(cursor of the row, piece, row) for every piece of every row, rows in parallel and long rows in parts.
template <class Body>
void for_each_piece(const Layout& layout, std::size_t pieces, std::size_t bytes, const Body& body) {
  const std::size_t items = layout.rows * pieces;
  const std::size_t grain = std::max<std::size_t>(1, kGrainBytes / std::max<std::size_t>(1, bytes / items));
  base::parallel_for(items, grain, [&](std::size_t begin, std::size_t end) {
    std::size_t row = begin / pieces, piece = begin % pieces;
    RowCursor cursor(layout, row);
    for (std::size_t item = begin; item < end; ++row, cursor.advance(), piece = 0) {
      const std::size_t stop = std::min(pieces, piece + (end - item));
      item += stop - piece;
      body(row, cursor.start(), piece, stop);
    }
  });
}

void copy_runs(const Layout& layout, std::size_t unit, const std::byte* source, std::span<std::byte> out) {
  const auto runs = find_runs(layout.kept[layout.last], std::max<std::size_t>(1, kPieceBytes / unit));
  const std::size_t row_bytes = layout.kept_last * unit;
  for_each_piece(layout, runs.size(), out.size(),
                 [&](std::size_t row, std::size_t start, std::size_t i, std::size_t end) {
                   std::byte* const to = out.data() + row * row_bytes;
                   const std::byte* const from = source + start * unit;
                   for (; i < end; ++i)
                     copy_run(to + runs[i].to * unit, from + runs[i].from * unit, runs[i].count * unit);
                 });
}

// Single small elements: one indexed load and one store each.
template <class T>
void copy_elements(const Layout& layout, const std::byte* source, std::span<std::byte> out) {
  constexpr std::size_t kPiece = 4096;
  const auto kept = layout.kept[layout.last];
  std::vector<std::uint32_t> indices(kept.begin(), kept.end());
  const std::size_t pieces = (indices.size() + kPiece - 1) / kPiece;
  for_each_piece(layout, pieces, out.size(), [&](std::size_t row, std::size_t start, std::size_t i, std::size_t end) {
    std::byte* const to = out.data() + row * indices.size() * sizeof(T);
    const std::byte* const from = source + start * sizeof(T);
    const std::size_t stop = std::min(indices.size(), end * kPiece);
    for (std::size_t k = i * kPiece; k < stop; ++k) {
      T value;
      __builtin_memcpy(&value, from + indices[k] * sizeof(T), sizeof(T));
      __builtin_memcpy(to + k * sizeof(T), &value, sizeof(T));
    }
  });
}

void copy_bytes(const Layout& layout, std::size_t unit, const std::byte* source, std::span<std::byte> out) {
  const bool narrow = layout.source[layout.last] <= std::int64_t{1} << 31;
  const std::size_t runs = find_runs(layout.kept[layout.last], layout.kept_last).size();
  if (narrow && layout.kept_last * unit / runs < 32) {
    if (unit == 1) return copy_elements<std::uint8_t>(layout, source, out);
    if (unit == 2) return copy_elements<std::uint16_t>(layout, source, out);
    if (unit == 4) return copy_elements<std::uint32_t>(layout, source, out);
    if (unit == 8) return copy_elements<std::uint64_t>(layout, source, out);
  }
  copy_runs(layout, unit, source, out);
}

// One element after the other, for what has no byte address of its own: body(source element).
template <class Body>
void for_each_element(const Layout& layout, const Body& body) {
  RowCursor cursor(layout, 0);
  for (std::size_t row = 0; row < layout.rows; ++row, cursor.advance()) {
    for (const std::int64_t index : layout.kept[layout.last]) {
      const std::size_t first = (cursor.start() + static_cast<std::size_t>(index)) * layout.inner;
      for (std::size_t i = 0; i < layout.inner; ++i) body(first + i);
    }
  }
}

Tensor gather_strings(const Tensor& tensor, const Layout& layout, bool empty) {
  std::vector<std::string> out;
  if (!empty) for_each_element(layout, [&](std::size_t at) { out.push_back((*tensor.strings)[at]); });
  return {tensor.dtype, layout.result, {}, std::make_shared<const std::vector<std::string>>(std::move(out))};
}

void gather_nibbles(const Tensor& tensor, const Layout& layout, std::span<std::byte> out) {
  std::memset(out.data(), 0, out.size());
  std::size_t to = 0;
  for_each_element(layout, [&](std::size_t at) {
    const unsigned value = nibble(tensor.bytes.data(), static_cast<std::int64_t>(at));
    out[to / 2] |= static_cast<std::byte>(to % 2 == 0 ? value : value << 4);
    ++to;
  });
}

}  // namespace

Tensor gather_axes(const Tensor& tensor, const std::vector<AxisIndices>& kept) {
  check_bytes("gather_axes", tensor);
  const Layout layout = lay_out(tensor, kept);
  if (std::find(layout.cut.begin(), layout.cut.end(), true) == layout.cut.end()) return tensor;
  const std::int64_t elements = element_count(layout.result);
  if (tensor.dtype == DType::string) return gather_strings(tensor, layout, elements == 0);
  const auto bits = static_cast<std::size_t>(bit_width(tensor.dtype));
  if (!base::checked_mul(elements, 16)) {
    throw Error("gather_axes: result of shape " + to_string(layout.result) + " is too large");
  }
  Buffer buffer(byte_size(tensor.dtype, elements));
  if (elements != 0) {
    if (layout.inner * bits % 8 == 0) {
      copy_bytes(layout, layout.inner * bits / 8, tensor.bytes.data(), buffer.span());
    } else {
      gather_nibbles(tensor, layout, buffer.span());
    }
  }
  return {tensor.dtype, layout.result, std::move(buffer).freeze(), nullptr};
}

}  // namespace coppice::tensor
