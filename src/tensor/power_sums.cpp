#include <algorithm>
#include <cstring>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/checks.hpp"
#include "tensor/decode.hpp"
#include "tensor/power_sums_tile.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kTileElements = std::size_t{1} << 17;
constexpr std::size_t kTileColumns = 1024;  // whose column sums stay in the first-level cache
constexpr std::size_t kPadding = 8;
constexpr std::int64_t kEmptyExtentLimit = std::int64_t{1} << 24;

std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

// A request seen as a matrix: the axes before `split` are its rows, the others its columns. A requested axis is then
// folded out of the sums of the rows or of the columns. The matrix is cut into tiles that depend on its shape alone.
class Job {
 public:
  explicit Job(const PowerSumRequest& request);
  std::size_t tiles() const { return row_blocks_ * column_blocks_; }
  void run_tile(std::size_t tile);
  std::vector<std::vector<double>> fold() const;

 private:
  void check_empty(const char* where) const;
  void choose_split();
  void choose_tiles();
  void prepare_zero();
  void run_decoded(PowerSumTile tile, std::size_t first_row, std::size_t first_column) const;
  bool wants_rows() const;
  bool wants_columns() const;
  std::vector<double> fold_axis(std::size_t axis) const;

  const PowerSumRequest& request_;
  const Tensor& tensor_;
  std::size_t split_ = 0, rows_ = 1, columns_ = 1;
  std::size_t block_rows_ = 1, block_columns_ = 1, row_blocks_ = 0, column_blocks_ = 0;
  std::size_t column_stride_ = 0;
  std::vector<double> row_zero_, column_zero_;
  std::vector<double> row_sums_;     // [column block][row]
  std::vector<double> column_sums_;  // [row block][column, each block padded]
};

std::size_t extent_product(const Shape& shape, std::size_t first, std::size_t last) {
  std::size_t product = 1;
  for (std::size_t i = first; i < last; ++i) product *= static_cast<std::size_t>(shape[i]);
  return product;
}

bool is_native(DType dtype) {
  return is_real(dtype) || dtype == DType::int8 || dtype == DType::uint8;
}

Job::Job(const PowerSumRequest& request) : request_(request), tensor_(*request.tensor) {
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
  choose_tiles();
  prepare_zero();
  if (wants_rows()) row_sums_.resize(column_blocks_ * rows_);
  column_stride_ = column_blocks_ * (block_columns_ + kPadding);
  if (wants_columns()) column_sums_.resize(row_blocks_ * column_stride_);
}

// The shape of a tensor without elements is backed by no bytes: don't let it ask for any amount of memory.
void Job::check_empty(const char* where) const {
  for (std::size_t axis : request_.axes) {
    if (tensor_.shape[axis] <= kEmptyExtentLimit) continue;
    throw Error(std::string(where) + ": empty tensor of shape " + to_string(tensor_.shape) +
                ": expected extents up to " + std::to_string(kEmptyExtentLimit));
  }
}

bool Job::wants_rows() const {
  return std::any_of(request_.axes.begin(), request_.axes.end(), [&](std::size_t axis) { return axis < split_; });
}

bool Job::wants_columns() const {
  return std::any_of(request_.axes.begin(), request_.axes.end(), [&](std::size_t axis) { return axis >= split_; });
}

// The split that keeps the fewest partial sums; a row sum counts for four, as its eight parts must be added up.
void Job::choose_split() {
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

void Job::choose_tiles() {
  const std::size_t few_rows = std::min<std::size_t>(rows_, kTileElements / kTileColumns);
  block_columns_ = wants_columns() ? std::max(kTileColumns, kTileElements / few_rows) : kTileElements;
  block_columns_ = std::min(block_columns_, columns_);
  block_rows_ = std::min(rows_, std::max<std::size_t>(1, kTileElements / block_columns_));
  column_blocks_ = ceil_div(columns_, block_columns_);
  // Taller tiles leave fewer partial sums; a few hundred are enough to share out.
  while (block_rows_ < rows_ && ceil_div(rows_, block_rows_) * column_blocks_ > 512) block_rows_ *= 2;
  row_blocks_ = ceil_div(rows_, block_rows_);
}

void Job::prepare_zero() {
  const ZeroPoint& zero = request_.zero;
  if (zero.values.empty()) return;
  const bool by_column = zero.values.size() > 1 && zero.axis >= split_;
  std::vector<double>& values = by_column ? column_zero_ : row_zero_;
  values.resize(by_column ? columns_ + kPadding : rows_);
  const std::size_t end = by_column ? tensor_.shape.size() : split_;
  const std::size_t inner = zero.values.size() > 1 ? extent_product(tensor_.shape, zero.axis + 1, end) : 1;
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = zero.values[i / inner % zero.values.size()];
}

void Job::run_tile(std::size_t index) {
  const std::size_t row_block = index / column_blocks_, column_block = index % column_blocks_;
  const std::size_t first_row = row_block * block_rows_, first_column = column_block * block_columns_;
  PowerSumTile tile;
  tile.rows = std::min(block_rows_, rows_ - first_row);
  tile.columns = std::min(block_columns_, columns_ - first_column);
  tile.dtype = tensor_.dtype;
  tile.power = request_.power;
  if (!row_zero_.empty()) tile.row_zero = row_zero_.data() + first_row;
  if (!column_zero_.empty()) tile.column_zero = column_zero_.data() + first_column;
  if (!row_sums_.empty()) tile.row_sums = row_sums_.data() + column_block * rows_ + first_row;
  if (!column_sums_.empty()) {
    tile.column_sums = column_sums_.data() + row_block * column_stride_ + column_block * (block_columns_ + kPadding);
  }
  const bool zero_in_tile = !row_zero_.empty() || !column_zero_.empty();
  if (!is_native(tensor_.dtype) || (zero_in_tile && is_real(tensor_.dtype))) {
    return run_decoded(tile, first_row, first_column);
  }
  const std::size_t size = static_cast<std::size_t>(bit_width(tensor_.dtype) / 8);
  tile.data = tensor_.bytes.data() + (first_row * columns_ + first_column) * size;
  tile.row_stride = columns_ * size;
  power_sum_tile(tile);
}

// Rarer types go through a buffer of doubles, a piece of a few rows at a time.
void Job::run_decoded(PowerSumTile tile, std::size_t first_row, std::size_t first_column) const {
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

std::vector<double> Job::fold_axis(std::size_t axis) const {
  const bool of_rows = axis < split_;
  std::vector<double> out(static_cast<std::size_t>(tensor_.shape[axis]), 0.0);
  if (row_blocks_ == 0) return out;
  // The sums of all blocks, then of the axes around the requested one.
  const std::size_t length = of_rows ? rows_ : columns_;
  std::vector<double> totals(length, 0.0);
  if (of_rows) {
    for (std::size_t block = 0; block < column_blocks_; ++block) {
      for (std::size_t i = 0; i < length; ++i) totals[i] += row_sums_[block * rows_ + i];
    }
  } else {
    for (std::size_t block = 0; block < row_blocks_; ++block) {
      const double* sums = column_sums_.data() + block * column_stride_;
      for (std::size_t first = 0; first < length; first += block_columns_, sums += block_columns_ + kPadding) {
        const std::size_t count = std::min(block_columns_, length - first);
        for (std::size_t i = 0; i < count; ++i) totals[first + i] += sums[i];
      }
    }
  }
  const std::size_t inner = extent_product(tensor_.shape, axis + 1, of_rows ? split_ : tensor_.shape.size());
  for (std::size_t i = 0, at = 0; i < length; i += inner) {
    double sum = 0;
    for (std::size_t k = 0; k < inner; ++k) sum += totals[i + k];
    out[at] += sum;
    at = at + 1 == out.size() ? 0 : at + 1;
  }
  return out;
}

std::vector<std::vector<double>> Job::fold() const {
  std::vector<std::vector<double>> out;
  out.reserve(request_.axes.size());
  for (std::size_t axis : request_.axes) out.push_back(fold_axis(axis));
  return out;
}

}  // namespace

std::vector<std::vector<std::vector<double>>> axis_power_sums(std::span<const PowerSumRequest> requests) {
  std::vector<Job> jobs;
  jobs.reserve(requests.size());
  std::vector<std::size_t> first_tile{0};  // of each job, in one numbering for all
  for (const auto& request : requests) {
    jobs.emplace_back(request);
    first_tile.push_back(first_tile.back() + jobs.back().tiles());
  }
  std::vector<std::size_t> grains{0};  // tiles are shared out in pieces of about one full tile
  std::size_t weight = 0;
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    const auto elements = static_cast<std::size_t>(requests[job].tensor->elements());
    const std::size_t tiles = jobs[job].tiles();
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      weight += elements / tiles + 1024;
      if (weight < kTileElements) continue;
      grains.push_back(first_tile[job] + tile + 1);
      weight = 0;
    }
  }
  if (grains.back() != first_tile.back()) grains.push_back(first_tile.back());
  base::parallel_for(grains.size() - 1, 1, [&](std::size_t begin, std::size_t end) {
    std::size_t tile = grains[begin];
    const auto after = std::upper_bound(first_tile.begin(), first_tile.end(), tile);
    for (auto job = static_cast<std::size_t>(after - first_tile.begin()) - 1; tile < grains[end]; ++tile) {
      while (tile >= first_tile[job + 1]) ++job;
      jobs[job].run_tile(tile - first_tile[job]);
    }
  });
  std::vector<std::vector<std::vector<double>>> out;
  out.reserve(jobs.size());
  for (const auto& job : jobs) out.push_back(job.fold());
  return out;
}

std::vector<double> element_powers(const Tensor& tensor, int power, const ZeroPoint& zero) {
  Tensor flat = tensor;
  flat.shape = {tensor.elements()};
  const std::size_t axis = 0;
  if (zero.values.size() <= 1) {
    return std::move(axis_power_sums(flat, {&axis, 1}, power, zero).front());
  }
  check_zero_point("element_powers", tensor.shape, zero.values.size(), zero.axis);
  const std::size_t inner = extent_product(tensor.shape, zero.axis + 1, tensor.shape.size());
  ZeroPoint each;
  each.values.resize(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < each.values.size(); ++i) each.values[i] = zero.values[i / inner % zero.values.size()];
  return std::move(axis_power_sums(flat, {&axis, 1}, power, each).front());
}

std::vector<std::vector<double>> axis_power_sums(const Tensor& tensor, std::span<const std::size_t> axes, int power,
                                                 const ZeroPoint& zero) {
  const PowerSumRequest request{&tensor, {axes.begin(), axes.end()}, power, zero};
  return std::move(axis_power_sums(std::span(&request, 1)).front());
}

}  // namespace coppice::tensor
