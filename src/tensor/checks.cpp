#include "tensor/checks.hpp"

#include <string>

#include "coppice/base/error.hpp"

namespace coppice::tensor {

void check_bytes(std::string_view where, const Tensor& tensor) {
  const std::int64_t elements = tensor.elements();
  if (tensor.dtype == DType::string) {
    const std::size_t found = tensor.strings ? tensor.strings->size() : 0;
    if (found == static_cast<std::size_t>(elements)) return;
    throw Error(std::string(where) + ": shape " + to_string(tensor.shape) + " needs " + std::to_string(elements) +
                " strings, found " + std::to_string(found));
  }
  if (bit_width(tensor.dtype) == 0) {
    throw Error(std::string(where) + ": expected a known element type, found " + std::string(name(tensor.dtype)));
  }
  if (tensor.bytes.size() != byte_size(tensor.dtype, elements)) {
    throw Error(std::string(where) + ": " + to_string(tensor.shape) + " of " + std::string(name(tensor.dtype)) +
                " needs " + std::to_string(byte_size(tensor.dtype, elements)) + " bytes, found " +
                std::to_string(tensor.bytes.size()));
  }
}

void check_axes(std::string_view where, const Shape& shape, std::span<const std::size_t> axes) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] >= shape.size()) {
      throw Error(std::string(where) + ": expected an axis below " + std::to_string(shape.size()) + ", found " +
                  std::to_string(axes[i]));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (axes[i] == axes[j]) throw Error(std::string(where) + ": axis " + std::to_string(axes[i]) + " is named twice");
    }
  }
}

void check_indices(std::string_view where, std::size_t axis, std::int64_t extent,
                   std::span<const std::int64_t> indices) {
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= extent) {
      throw Error(std::string(where) + ": expected an index below " + std::to_string(extent) + " on axis " +
                  std::to_string(axis) + ", found " + std::to_string(index));
    }
  }
}

void check_zero_point(std::string_view where, const Shape& shape, std::size_t values, std::size_t axis) {
  if (values <= 1) return;
  if (axis < shape.size() && static_cast<std::size_t>(shape[axis]) == values) return;
  throw Error(std::string(where) + ": expected one zero point or one an index of axis " + std::to_string(axis) +
              " of shape " + to_string(shape) + ", found " + std::to_string(values));
}

}  // namespace coppice::tensor
