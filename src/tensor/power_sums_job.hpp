#pragma once
#include <cstddef>
#include <vector>

#include "coppice/tensor/kernels.hpp"

#include "tensor/give_back.hpp"
#include "tensor/power_sums_tile.hpp"

namespace coppice::tensor {

/// Product of extents [first, last).
std::size_t extent_product(const Shape& shape, std::size_t first, std::size_t last);

/// One request of axis_power_sums seen as a matrix: the axes before `split` are its rows, the others its columns. A
/// requested axis is then folded out of the sums of the rows or of the columns. The matrix is cut into parts that
/// depend on its shape and type alone and may run in any order.
class PowerSumJob {
 public:
  /// Checks the request, which must outlive the job.
  explicit PowerSumJob(const PowerSumRequest& request);
  std::size_t parts() const { return row_parts_ * column_parts_; }
  /// Sums one part; the pages it was read from go to `back`.
  void run(std::size_t part, GiveBack& back);
  /// The sums by axis of the request, once all parts have run.
  std::vector<std::vector<double>> fold() const;

 private:
  void check_empty(const char* where) const;
  void choose_split();
  void choose_parts();
  void prepare_zero();
  void run_strip(std::size_t row_part, PowerSumTile strip, std::size_t first_row, std::size_t first_column);
  void run_decoded(PowerSumTile tile, std::size_t first_row, std::size_t first_column) const;
  void give_back(std::size_t row, std::size_t rows, std::size_t column, std::size_t columns, GiveBack& back) const;
  bool wants_rows() const;
  bool wants_columns() const;
  std::vector<double> fold_axis(std::size_t axis) const;

  const PowerSumRequest& request_;
  const Tensor& tensor_;
  std::size_t split_ = 0, rows_ = 1, columns_ = 1;
  std::size_t row_parts_ = 0, column_parts_ = 0, part_rows_ = 1, part_columns_ = 1;
  std::size_t strip_rows_ = 1, tile_columns_ = 1;
  std::vector<double> row_zero_, column_zero_;
  std::vector<double> row_sums_;     // [tile of columns][row]
  std::vector<double> column_sums_;  // [row part][column, padded]
};

}  // namespace coppice::tensor
