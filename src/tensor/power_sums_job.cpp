#include "tensor/power_sums_job.hpp"

#include <algorithm>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"

#include "tensor/checks.hpp"
#include "tensor/decode.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kPartBytes = std::size_t{1} << 20;
constexpr std::size_t kMostParts = 32;      // each with sums of its own for every column
constexpr std::size_t kPartRows = 32;       // fewer would spend more on the sums of columns than on the elements
constexpr std::size_t kTileColumns = 1024;  // whose column sums stay in the first-level cache
constexpr std::size_t kRows = 4;            // that the kernel takes at a time
constexpr std::size_t kStripBytes = std::size_t{1} << 20;
constexpr std::size_t kFoldAtOnce = std::size_t{1} << 17;  // sums that one piece of the folding adds up
constexpr std::size_t kPadding = 8;
constexpr std::int64_t kEmptyExtentLimit = std::int64_t{1} << 24;

std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

std::size_t round_up(std::size_t a, std::size_t b) {
  return ceil_div(a, b) * b;
}

bool is_native(DType dtype) {
  return is_real(dtype) || dtype == DType::int8 || dtype == DType::uint8;
}

}  // namespace

std::size_t extent_product(const Shape& shape, std::size_t first, std::size_t last) {
  std::size_t product = 1;
  for (std::size_t i = first; i < last; ++i) product *= static_cast<std::size_t>(shape[i]);
  return product;
}

PowerSumJob::PowerSumJob(const PowerSumRequest& request) : request_(request), tensor_(*request.tensor) {
  constexpr const char* where = "axis_power_sums";
  check_bytes(where, tensor_);
  if (request.power != 1 && request.power != 2) {
    throw Error(std::string(where) + ": expected power 1 or 2, found " + std::to_string(request.power));
  }
  if (!has_magnitude(tensor_.dtype)) {
    throw Error(std::string(where) + ": expected numbers, found type " + std::string(name(tensor_.dtype)));
  }
  check_axes(where, tensor_.shape, request.axes);
  check_zero_point(where, tensor_.shape, request.zero.values.size(), request.zero.axis);
  if (tensor_.elements() == 0) check_empty(where);
  if (request.axes.empty() || tensor_.elements() == 0) return;
  choose_split();
  choose_parts();
  prepare_zero();
  if (wants_rows()) row_sums_.resize(ceil_div(columns_, tile_columns_) * rows_);
  if (wants_columns()) column_sums_.resize(row_parts_ * (columns_ + kPadding));
}

// The shape of a tensor without elements is backed by no bytes: don't let it ask for any amount of memory.
void PowerSumJob::check_empty(const char* where) const {
  for (std::size_t axis : request_.axes) {
    if (tensor_.shape[axis] <= kEmptyExtentLimit) continue;
    throw Error(std::string(where) + ": empty tensor of shape " + to_string(tensor_.shape) +
                ": expected extents up to " + std::to_string(kEmptyExtentLimit));
  }
}

bool PowerSumJob::wants_rows() const {
  return std::any_of(request_.axes.begin(), request_.axes.end(), [&](std::size_t axis) { return axis < split_; });
}

bool PowerSumJob::wants_columns() const {
  return std::any_of(request_.axes.begin(), request_.axes.end(), [&](std::size_t axis) { return axis >= split_; });
}

// The split that keeps the fewest partial sums; a row sum counts for four, as its eight parts must be added up.
void PowerSumJob::choose_split() {
  std::size_t best = 0, best_cost = 0;
  for (std::size_t s = 0; s <= tensor_.shape.size(); ++s) {
    split_ = s;
    const std::size_t cost = (wants_rows() ? 4 * extent_product(tensor_.shape, 0, s) : 0) +
                             (wants_columns() ? extent_product(tensor_.shape, s, tensor_.shape.size()) : 0);
    if (s == 0 || cost < best_cost) {
      best = s;
      best_cost = cost;
    }
  }
  split_ = best;
  rows_ = extent_product(tensor_.shape, 0, split_);
  columns_ = extent_product(tensor_.shape, split_, tensor_.shape.size());
}

// Parts of about a megabyte, of whole rows where there are enough: threads then stay out of each other's pages.
void PowerSumJob::choose_parts() {
  const std::size_t wanted = std::clamp<std::size_t>(tensor_.bytes.size() / kPartBytes, 1, kMostParts);
  const std::size_t most_rows = wants_columns() ? rows_ / kPartRows : rows_;
  part_rows_ = ceil_div(rows_, std::clamp<std::size_t>(most_rows, 1, wanted));
  if (part_rows_ < rows_) part_rows_ = std::min(rows_, round_up(part_rows_, kRows));
  row_parts_ = ceil_div(rows_, part_rows_);
  part_columns_ = ceil_div(columns_, ceil_div(wanted, row_parts_));
  part_columns_ = std::min(columns_, round_up(part_columns_, kTileColumns));
  column_parts_ = ceil_div(columns_, part_columns_);
  tile_columns_ = wants_columns() ? kTileColumns : part_columns_;
  const std::size_t row_bytes = tensor_.bytes.size() / rows_ / column_parts_ + 1;
  strip_rows_ = std::min(part_rows_, round_up(kStripBytes / row_bytes + 1, kRows));
}

void PowerSumJob::prepare_zero() {
  const ZeroPoint& zero = request_.zero;
  if (zero.values.empty()) return;
  const bool by_column = zero.values.size() > 1 && zero.axis >= split_;
  std::vector<double>& values = by_column ? column_zero_ : row_zero_;
  values.resize(by_column ? columns_ + kPadding : rows_);
  const std::size_t end = by_column ? tensor_.shape.size() : split_;
  const std::size_t inner = zero.values.size() > 1 ? extent_product(tensor_.shape, zero.axis + 1, end) : 1;
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = zero.values[i / inner % zero.values.size()];
}

void PowerSumJob::run(std::size_t part, GiveBack& back) {
  const std::size_t row_part = part / column_parts_;
  const std::size_t end = std::min(rows_, (row_part + 1) * part_rows_);
  const std::size_t column = part % column_parts_ * part_columns_;
  PowerSumTile strip;
  strip.columns = std::min(part_columns_, columns_ - column);
  strip.dtype = tensor_.dtype;
  strip.power = request_.power;
  for (std::size_t row = row_part * part_rows_; row < end; row += strip.rows) {
    strip.rows = std::min(strip_rows_, end - row);
    run_strip(row_part, strip, row, column);
    if (tensor_.bytes.streamed()) give_back(row, strip.rows, column, strip.columns, back);
  }
}

void PowerSumJob::run_strip(std::size_t row_part, PowerSumTile strip, std::size_t first_row, std::size_t first_column) {
  const bool zero_in_tile = !row_zero_.empty() || !column_zero_.empty();
  const bool decoded = !is_native(tensor_.dtype) || (zero_in_tile && is_real(tensor_.dtype));
  const std::size_t end = first_column + strip.columns;
  for (std::size_t column = first_column; column < end; column += tile_columns_) {
    PowerSumTile tile = strip;
    tile.columns = std::min(tile_columns_, end - column);
    if (!row_zero_.empty()) tile.row_zero = row_zero_.data() + first_row;
    if (!column_zero_.empty()) tile.column_zero = column_zero_.data() + column;
    if (!row_sums_.empty()) tile.row_sums = row_sums_.data() + column / tile_columns_ * rows_ + first_row;
    if (!column_sums_.empty()) tile.column_sums = column_sums_.data() + row_part * (columns_ + kPadding) + column;
    if (decoded) {
      run_decoded(tile, first_row, column);
      continue;
    }
    const auto size = static_cast<std::size_t>(bit_width(tensor_.dtype) / 8);
    tile.data = tensor_.bytes.data() + (first_row * columns_ + column) * size;
    tile.row_stride = columns_ * size;
    power_sum_tile(tile);
  }
}

void PowerSumJob::give_back(std::size_t row, std::size_t rows, std::size_t column, std::size_t columns,
                            GiveBack& back) const {
  const auto offset = [&](std::size_t element) {
    return element * static_cast<std::size_t>(bit_width(tensor_.dtype)) / 8;
  };
  if (columns == columns_) return back.add(tensor_.bytes, offset(row * columns_), offset((row + rows) * columns_));
  for (const std::size_t end = row + rows; row < end; ++row) {
    const std::size_t first = row * columns_ + column;
    back.add(tensor_.bytes, offset(first), offset(first + columns));
  }
}

// Rarer types go through a buffer of doubles, a piece of a few rows at a time.
void PowerSumJob::run_decoded(PowerSumTile tile, std::size_t first_row, std::size_t first_column) const {
  const std::size_t rows = tile.rows, columns = tile.columns;
  const double* row_zero = tile.row_zero;
  const double* column_zero = tile.column_zero;
  double* row_sums = tile.row_sums;
  const std::size_t step = columns <= kTileColumns ? 4 : 1;
  std::vector<double> buffer(step * columns);
  tile.row_zero = nullptr;
  tile.column_zero = nullptr;
  tile.dtype = DType::float64;
  tile.data = reinterpret_cast<const std::byte*>(buffer.data());
  tile.row_stride = columns * sizeof(double);
  for (std::size_t row = 0; row < rows; row += step) {
    tile.rows = std::min(step, rows - row);
    for (std::size_t r = 0; r < tile.rows; ++r) {
      double* to = buffer.data() + r * columns;
      decode(tensor_, static_cast<std::int64_t>((first_row + row + r) * columns_ + first_column), columns, to);
      if (row_zero) {
        for (std::size_t c = 0; c < columns; ++c) to[c] -= row_zero[row + r];
      }
      if (column_zero) {
        for (std::size_t c = 0; c < columns; ++c) to[c] -= column_zero[c];
      }
    }
    tile.row_sums = row_sums ? row_sums + row : nullptr;
    power_sum_tile(tile);
  }
}

std::vector<double> PowerSumJob::fold_axis(std::size_t axis) const {
  const bool of_rows = axis < split_;
  std::vector<double> out(static_cast<std::size_t>(tensor_.shape[axis]), 0.0);
  if (parts() == 0) return out;
  // The sums of all parts, then of the axes around the requested one.
  const std::vector<double>& sums = of_rows ? row_sums_ : column_sums_;
  const std::size_t length = of_rows ? rows_ : columns_;
  const std::size_t stride = of_rows ? rows_ : columns_ + kPadding;
  std::vector<double> totals(length, 0.0);
  const std::size_t grain = kFoldAtOnce * stride / sums.size() + 1;
  base::parallel_for(length, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t first = 0; first < sums.size(); first += stride) {
      for (std::size_t i = begin; i < end; ++i) totals[i] += sums[first + i];
    }
  });
  const std::size_t inner = extent_product(tensor_.shape, axis + 1, of_rows ? split_ : tensor_.shape.size());
  for (std::size_t i = 0, at = 0; i < length; i += inner) {
    double sum = 0;
    for (std::size_t k = 0; k < inner; ++k) sum += totals[i + k];
    out[at] += sum;
    at = at + 1 == out.size() ? 0 : at + 1;
  }
  return out;
}

std::vector<std::vector<double>> PowerSumJob::fold() const {
  std::vector<std::vector<double>> out;
  out.reserve(request_.axes.size());
  for (std::size_t axis : request_.axes) out.push_back(fold_axis(axis));
  return out;
}

}  // namespace coppice::tensor
