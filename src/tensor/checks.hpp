#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

// What the kernels ask of their arguments. Each throws Error, which begins with `where`.

/// The bytes (or strings) are as many as type and shape say, and the type is one of known width, or strings.
void check_bytes(std::string_view where, const Tensor& tensor);
/// Axes lie below the rank and are distinct.
void check_axes(std::string_view where, const Shape& shape, std::span<const std::size_t> axes);
/// Indices lie in [0, extent).
void check_indices(std::string_view where, std::size_t axis, std::int64_t extent,
                   std::span<const std::int64_t> indices);
/// None or one value, or as many as `axis` is long.
void check_zero_point(std::string_view where, const Shape& shape, std::size_t values, std::size_t axis);

}  // namespace coppice::tensor
