#include "coppice/tensor/tensor.hpp"

#include <cstring>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

namespace coppice::tensor {
namespace {

template <class T>
T load(const Tensor& tensor, std::int64_t index) {
  T out;
  std::memcpy(&out, tensor.bytes.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
  return out;
}

template <class T, class V>
void store(std::span<std::byte> bytes, std::size_t index, V value) {
  const T out = static_cast<T>(value);
  std::memcpy(bytes.data() + index * sizeof(T), &out, sizeof(T));
}

template <class V>
Tensor from_values(DType dtype, Shape shape, std::span<const V> values) {
  Buffer buffer(byte_size(dtype, static_cast<std::int64_t>(values.size())));
  auto bytes = buffer.span();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const V v = values[i];
    switch (dtype) {
      case DType::float32:
        store<float>(bytes, i, v);
        break;
      case DType::float64:
        store<double>(bytes, i, v);
        break;
      case DType::float16:
        store<std::uint16_t>(bytes, i, float_to_half(static_cast<float>(v)));
        break;
      case DType::bfloat16:
        store<std::uint16_t>(bytes, i, float_to_bfloat16(static_cast<float>(v)));
        break;
      case DType::int64:
        store<std::int64_t>(bytes, i, v);
        break;
      case DType::int32:
        store<std::int32_t>(bytes, i, v);
        break;
      case DType::int16:
        store<std::int16_t>(bytes, i, v);
        break;
      case DType::int8:
        store<std::int8_t>(bytes, i, v);
        break;
      case DType::uint64:
        store<std::uint64_t>(bytes, i, v);
        break;
      case DType::uint32:
        store<std::uint32_t>(bytes, i, v);
        break;
      case DType::uint16:
        store<std::uint16_t>(bytes, i, v);
        break;
      case DType::uint8:
        store<std::uint8_t>(bytes, i, v);
        break;
      case DType::boolean:
        store<std::uint8_t>(bytes, i, v != V{} ? 1 : 0);
        break;
      default:
        throw Error("no conversion from numbers to " + std::string(name(dtype)));
    }
  }
  return {dtype, std::move(shape), std::move(buffer).freeze(), nullptr};
}

}  // namespace

std::int64_t element_count(std::span<const std::int64_t> shape) {
  const auto count = base::checked_product(shape);
  if (!count) throw Error("tensor shape " + to_string(shape) + " is negative or too large");
  return *count;
}

std::string to_string(std::span<const std::int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (std::int64_t extent : shape) {
    if (!out.empty()) out += 'x';
    out += std::to_string(extent);
  }
  return out;
}

double element_as_double(const Tensor& tensor, std::int64_t index) {
  switch (tensor.dtype) {
    case DType::float32:
      return load<float>(tensor, index);
    case DType::float64:
      return load<double>(tensor, index);
    case DType::float16:
      return half_to_float(load<std::uint16_t>(tensor, index));
    case DType::bfloat16:
      return bfloat16_to_float(load<std::uint16_t>(tensor, index));
    case DType::uint64:
      return static_cast<double>(load<std::uint64_t>(tensor, index));
    default:
      return static_cast<double>(element_as_int(tensor, index));
  }
}

std::int64_t element_as_int(const Tensor& tensor, std::int64_t index) {
  switch (tensor.dtype) {
    case DType::int64:
      return load<std::int64_t>(tensor, index);
    case DType::int32:
      return load<std::int32_t>(tensor, index);
    case DType::int16:
      return load<std::int16_t>(tensor, index);
    case DType::int8:
      return load<std::int8_t>(tensor, index);
    case DType::uint64:
      return static_cast<std::int64_t>(load<std::uint64_t>(tensor, index));
    case DType::uint32:
      return load<std::uint32_t>(tensor, index);
    case DType::uint16:
      return load<std::uint16_t>(tensor, index);
    case DType::uint8:
    case DType::boolean:
      return load<std::uint8_t>(tensor, index);
    default:
      throw Error("expected whole numbers, found " + std::string(name(tensor.dtype)));
  }
}

Tensor from_doubles(DType dtype, Shape shape, std::span<const double> values) {
  return from_values<double>(dtype, std::move(shape), values);
}

Tensor from_ints(DType dtype, Shape shape, std::span<const std::int64_t> values) {
  return from_values<std::int64_t>(dtype, std::move(shape), values);
}

}  // namespace coppice::tensor
