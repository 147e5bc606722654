#include <charconv>
#include <limits>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"

#include "formats/onnx/reader.hpp"

namespace coppice::formats::onnx_detail {
namespace {
using tensor::DType;

/// "float32 32x32".
std::string described(const tensor::Tensor& tensor) {
  return std::string(name(tensor.dtype)) + " " + tensor::to_string(tensor.shape);
}

std::int64_t checked_elements(const tensor::Tensor& tensor, const Where& where) {
  for (std::int64_t extent : tensor.shape)
    if (extent < 0) where.fail("expected sizes of 0 or more, found " + tensor::to_string(tensor.shape));
  const auto count = base::checked_product(tensor.shape);
  if (!count || *count > std::numeric_limits<std::int64_t>::max() / 128)
    where.fail("shape " + tensor::to_string(tensor.shape) + " is too large");
  return *count;
}

std::uint64_t parse_number(const std::string& key, const std::string& text, const Where& where) {
  std::uint64_t out = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (problem != std::errc() || end != text.data() + text.size() || text.empty())
    where.fail("external data: expected a number as " + key + ", found \"" + text + "\"");
  return out;
}

tensor::Bytes read_external(onnx::TensorProto& proto, std::optional<std::uint64_t> expected, const Where& where,
                            ReadContext& context) {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
  // Other keys survive as they are; a checksum would be wrong as soon as the tensor is cut.
  google::protobuf::RepeatedPtrField<onnx::StringStringEntryProto> others;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset") {
      offset = parse_number("offset", entry.value(), where);
    } else if (entry.key() == "length") {
      length = parse_number("length", entry.value(), where);
    } else if (entry.key() != "checksum") {
      *others.Add() = entry;
    }
  }
  *proto.mutable_external_data() = std::move(others);
  if (expected && length && *length != *expected)
    where.fail("external data: expected a length of " + std::to_string(*expected) + ", found " +
               std::to_string(*length));
  try {
    return context.side_files.read(location, offset, expected ? expected : length);
  } catch (const Error& error) {
    where.fail(error.what());
  }
}

bool has_typed_data(const onnx::TensorProto& proto) {
  return proto.float_data_size() > 0 || proto.int32_data_size() > 0 || proto.int64_data_size() > 0 ||
         proto.double_data_size() > 0 || proto.uint64_data_size() > 0;
}

void read_strings(onnx::TensorProto& proto, tensor::Tensor& tensor, std::int64_t elements, const Where& where) {
  if (proto.string_data_size() != elements)
    where.fail("expected " + std::to_string(elements) + " strings, found " + std::to_string(proto.string_data_size()));
  auto strings = std::make_shared<std::vector<std::string>>();
  for (std::string& text : *proto.mutable_string_data()) strings->push_back(std::move(text));
  proto.clear_string_data();
  tensor.strings = std::move(strings);
}

}  // namespace

void Where::fail(const std::string& problem) const {
  throw Error(std::string(what) + " \"" + std::string(name) + "\": " + problem);
}

ReadTensor read_tensor(onnx::TensorProto& proto, const Where& where, ReadContext& context) {
  ReadTensor out;
  tensor::Tensor& tensor = out.tensor;
  if (proto.has_segment()) where.fail("tensors in segments are not supported");
  tensor.dtype = static_cast<DType>(proto.data_type());
  if (tensor.dtype == DType::undefined) where.fail("expected an element type, found none");
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  const std::int64_t elements = checked_elements(tensor, where);
  const int bits = bit_width(tensor.dtype);
  const std::size_t expected = byte_size(tensor.dtype, elements);
  if (tensor.dtype != DType::string && proto.string_data_size() > 0)
    where.fail("expected " + std::string(name(tensor.dtype)) + ", found strings");
  out.external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  if (out.external) {
    if (tensor.dtype == DType::string) where.fail("strings can't be external");
    if (proto.has_raw_data() || has_typed_data(proto)) where.fail("is external but has data inside too");
    tensor.bytes = read_external(proto, bits ? std::optional<std::uint64_t>(expected) : std::nullopt, where, context);
    proto.clear_data_location();
  } else if (tensor.dtype == DType::string) {
    if (proto.has_raw_data() || has_typed_data(proto)) where.fail("expected strings, found raw data or numbers");
    read_strings(proto, tensor, elements, where);
  } else if (proto.has_raw_data() && !has_typed_data(proto)) {
    tensor.bytes = context.blobs[blob_at(proto.raw_data(), context.blobs)];
    proto.clear_raw_data();
  } else if (bits != 0) {
    if (proto.has_raw_data() && context.blobs[blob_at(proto.raw_data(), context.blobs)].size() != 0)
      where.fail("has both raw data and numbers in a typed field");
    proto.clear_raw_data();
    tensor.bytes = read_typed_data(proto, tensor.dtype, elements, where);
  }
  if (bits != 0 && tensor.bytes.size() != expected)
    where.fail("expected " + std::to_string(expected) + " bytes for " + described(tensor) + ", found " +
               std::to_string(tensor.bytes.size()));
  proto.clear_dims();
  proto.clear_data_type();
  return out;
}

}  // namespace coppice::formats::onnx_detail
