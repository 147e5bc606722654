#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/tensor/scores.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

// The hot loops over tensor bytes. All accept unaligned bytes (mapped files), use the widest vectors of the machine
// they run on, spread big tensors over base::thread_count() threads, and return bitwise the same result for any number
// of threads and any vector width. All throw Error on an axis, index or zero point that does not fit the tensor.

/// What counts as zero in a quantised tensor: nothing given means 0, one value holds for the whole tensor, otherwise
/// one value per index of `axis`.
struct ZeroPoint {
  std::vector<double> values;
  std::size_t axis = 0;
};

/// Indices on one axis: in [0, extent), in any order. The span is read during the call only.
struct AxisIndices {
  std::size_t axis;
  std::span<const std::int64_t> indices;
};

/// One tensor of a batch for axis_power_sums; `tensor` must outlive the call.
struct PowerSumRequest {
  const Tensor* tensor = nullptr;
  std::vector<std::size_t> axes;  ///< Distinct axes, in any order.
  int power = 1;                  ///< 1 or 2.
  ZeroPoint zero;
};

/// Whether axis_power_sums can read this type: reals, whole numbers, booleans, the 8-bit floats and the packed 4-bit
/// types.
bool has_magnitude(DType dtype);

/// For each requested axis a vector of length shape[axis]: the sum of |x - zero|^power over all elements at that index.
/// All axes come out of one pass over the memory. Sums are kept in double precision throughout.
std::vector<std::vector<double>> axis_power_sums(const Tensor& tensor, std::span<const std::size_t> axes, int power,
                                                 const ZeroPoint& zero = {});

/// The same for many tensors at once, with the work of all of them spread over the threads together: result[request]
/// [position in axes][index].
std::vector<std::vector<std::vector<double>>> axis_power_sums(std::span<const PowerSumRequest> requests);

/// |x - zero|^power of every element, in memory order; `power` is 1 or 2.
std::vector<double> element_powers(const Tensor& tensor, int power, const ZeroPoint& zero = {});

/// Keeps the given indices of each named axis, in the given order, and all of every other axis: one read and one write
/// of the surviving bytes whatever the number of axes cut. An empty list makes an empty tensor. Any type whose bit
/// width is known, packed 4-bit types and strings included.
Tensor gather_axes(const Tensor& tensor, const std::vector<AxisIndices>& kept);

/// One tensor of a batch for gather_axes; `tensor` and the indices must outlive the call.
struct GatherRequest {
  const Tensor* tensor = nullptr;
  std::vector<AxisIndices> kept;
};

/// After the last reading of a mapped file its pages are given back even if they are not streamed.
enum class Reading : std::uint8_t { any, last };

/// The same for many tensors at once, with the work of all of them spread over the threads together. Results of up to
/// 2 MiB share one block of memory, which lives as long as any of them.
std::vector<Tensor> gather_axes(std::span<const GatherRequest> requests, Reading reading = Reading::any);

/// The same for one tensor, with the work left until its bytes are asked for: see Bytes::later. Holds the source and
/// copies of the indices until then. Throws as gather_axes does, at once.
Tensor gather_later(const Tensor& tensor, const std::vector<AxisIndices>& kept);

/// A copy in which every slice at a removed index, along any of the named axes, is zero (the zero point of a quantised
/// tensor). Types: as gather_axes without strings; with a zero point, real, whole-number and packed integer types.
Tensor zero_axes(const Tensor& tensor, const std::vector<AxisIndices>& removed, const ZeroPoint& zero = {});

/// Number of elements equal to zero, of either sign, or to the zero point of a quantised tensor. Types: as zero_axes.
std::int64_t count_zeros(const Tensor& tensor, const ZeroPoint& zero = {});

/// Indices of the `count` smallest scores, in ascending order of index; of equal scores the lower index goes first.
/// Linear time. Throws Error when a score is NaN or count lies outside [0, scores.size()].
std::vector<std::int64_t> smallest(std::span<const double> scores, std::int64_t count);

}  // namespace coppice::tensor
