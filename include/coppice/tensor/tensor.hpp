#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coppice/tensor/bytes.hpp"
#include "coppice/tensor/dtype.hpp"

namespace coppice::tensor {

using Shape = std::vector<std::int64_t>;

/// Product of the extents; 1 for a scalar. Throws Error on a negative extent or overflow.
std::int64_t element_count(std::span<const std::int64_t> shape);

/// "1x3x224x224"; "scalar" for rank 0.
std::string to_string(std::span<const std::int64_t> shape);

/// A dense row-major tensor over immutable, shared bytes (little-endian, as ONNX raw_data). Copies are cheap.
/// Invariant: bytes.size() == byte_size(dtype, element_count(shape)), except for dtype string, where `strings` counts.
struct Tensor {
  DType dtype = DType::undefined;
  Shape shape;
  Bytes bytes;
  std::shared_ptr<const std::vector<std::string>> strings;

  std::int64_t elements() const { return element_count(shape); }

  /// The elements as T; sizeof(T) must fit the dtype. The bytes of a file may be unaligned: see aligned().
  template <class T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  template <class T>
  static Tensor of(DType dtype, Shape shape, std::span<const T> values) {
    return {dtype, std::move(shape), Bytes::copy(std::as_bytes(values)), nullptr};
  }
  static Tensor ints(std::span<const std::int64_t> values) {
    return of<std::int64_t>(DType::int64, {static_cast<std::int64_t>(values.size())}, values);
  }
  static Tensor scalar(std::int64_t value) { return of<std::int64_t>(DType::int64, {}, {&value, 1}); }
  static Tensor scalar(float value) { return of<float>(DType::float32, {}, {&value, 1}); }
};

/// A mutable heap block that becomes the bytes of a Tensor without a copy.
class Buffer {
 public:
  explicit Buffer(std::size_t size);  ///< Uninitialised, 64-byte aligned.
  std::span<std::byte> span() { return {data_.get(), size_}; }
  template <class T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(data_.get()), size_ / sizeof(T)};
  }
  Bytes freeze() && { return {data_, {data_.get(), size_}}; }

 private:
  std::shared_ptr<std::byte[]> data_;
  std::size_t size_;
};

/// Element `index` of a real or integer tensor as a double (integers beyond 2^53 round). Unaligned bytes are fine.
double element_as_double(const Tensor& tensor, std::int64_t index);
/// Element `index` of an integer or boolean tensor. Unaligned bytes are fine.
std::int64_t element_as_int(const Tensor& tensor, std::int64_t index);
/// A tensor of `dtype` (real, integer or bool) and `shape` from doubles, rounded or truncated as a C++ cast does.
Tensor from_doubles(DType dtype, Shape shape, std::span<const double> values);
/// The same from integers, exact for 64-bit types.
Tensor from_ints(DType dtype, Shape shape, std::span<const std::int64_t> values);

}  // namespace coppice::tensor
