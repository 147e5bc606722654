#include <cstring>

#include "formats/onnx/reader.hpp"

namespace coppice::formats::onnx_detail {
namespace {
using tensor::DType;

/// Every number of a typed field becomes one element of type T.
template <class T, class Field>
tensor::Bytes convert(const Field& field) {
  tensor::Buffer buffer(static_cast<std::size_t>(field.size()) * sizeof(T));
  std::byte* at = buffer.span().data();
  for (const auto number : field) {
    const T element = static_cast<T>(number);
    std::memcpy(at, &element, sizeof(T));
    at += sizeof(T);
  }
  return std::move(buffer).freeze();
}

/// The typed field of each element type is given in the comments of onnx.proto. Half floats and the like are stored as
/// their bits, packed four-bit types two to a number.
tensor::Bytes converted(const onnx::TensorProto& proto, DType dtype) {
  switch (dtype) {
    case DType::float32:
    case DType::complex64:
      return convert<float>(proto.float_data());
    case DType::float64:
    case DType::complex128:
      return convert<double>(proto.double_data());
    case DType::int64:
      return convert<std::int64_t>(proto.int64_data());
    case DType::uint64:
      return convert<std::uint64_t>(proto.uint64_data());
    case DType::uint32:
      return convert<std::uint32_t>(proto.uint64_data());
    case DType::int32:
      return convert<std::int32_t>(proto.int32_data());
    case DType::uint16:
    case DType::int16:
    case DType::float16:
    case DType::bfloat16:
      return convert<std::uint16_t>(proto.int32_data());
    case DType::uint8:
    case DType::int8:
    case DType::boolean:
    case DType::float8e4m3fn:
    case DType::float8e4m3fnuz:
    case DType::float8e5m2:
    case DType::float8e5m2fnuz:
    case DType::uint4:
    case DType::int4:
    case DType::float4e2m1:
      return convert<std::uint8_t>(proto.int32_data());
    case DType::undefined:
    case DType::string:
      break;
  }
  return {};
}

}  // namespace

tensor::Bytes read_typed_data(onnx::TensorProto& proto, DType dtype, std::int64_t elements, const Where& where) {
  const int fields = (proto.float_data_size() > 0) + (proto.int32_data_size() > 0) + (proto.int64_data_size() > 0) +
                     (proto.double_data_size() > 0) + (proto.uint64_data_size() > 0);
  if (fields > 1) where.fail("has numbers in more than one typed field");
  tensor::Bytes out = converted(proto, dtype);
  if (fields == 1 && out.size() == 0 && elements > 0)
    where.fail("the numbers are not in the field that belongs to " + std::string(name(dtype)));
  proto.clear_float_data();
  proto.clear_int32_data();
  proto.clear_int64_data();
  proto.clear_double_data();
  proto.clear_uint64_data();
  return out;
}

}  // namespace coppice::formats::onnx_detail
