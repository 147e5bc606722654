#include "coppice/base/error.hpp"

#include "formats/onnx/writer.hpp"

namespace coppice::formats::onnx_detail {
namespace {
using tensor::DType;

void clear_data(onnx::TensorProto& proto) {
  proto.clear_raw_data();
  proto.clear_float_data();
  proto.clear_int32_data();
  proto.clear_int64_data();
  proto.clear_double_data();
  proto.clear_uint64_data();
  proto.clear_string_data();
}

void add_entry(google::protobuf::RepeatedPtrField<onnx::StringStringEntryProto>& entries, std::string key,
               std::string value) {
  auto& entry = *entries.Add();
  entry.set_key(std::move(key));
  entry.set_value(std::move(value));
}

void write_external(const tensor::Bytes& bytes, onnx::TensorProto& proto, SidePlan& side) {
  google::protobuf::RepeatedPtrField<onnx::StringStringEntryProto> entries;
  add_entry(entries, "location", side.location());
  add_entry(entries, "offset", std::to_string(side.add(bytes)));
  add_entry(entries, "length", std::to_string(bytes.size()));
  entries.MergeFrom(proto.external_data());
  *proto.mutable_external_data() = std::move(entries);
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
}

}  // namespace

void write_tensor(const tensor::Tensor& tensor, bool to_side, onnx::TensorProto& proto, WriteContext& context) {
  // Numbers of a type that we don't know can't become raw bytes: they stayed in the typed field.
  const bool carried = bit_width(tensor.dtype) == 0 && tensor.bytes.size() == 0 && tensor.dtype != DType::string;
  proto.clear_dims();
  if (!carried) clear_data(proto);
  for (std::int64_t extent : tensor.shape) proto.add_dims(extent);
  proto.set_data_type(static_cast<std::int32_t>(tensor.dtype));
  if (tensor.dtype == DType::string) {
    if (tensor.strings)
      for (const std::string& text : *tensor.strings) proto.add_string_data(text);
    return;
  }
  if (to_side) return write_external(tensor.bytes, proto, *context.side);
  proto.clear_external_data();
  proto.clear_data_location();
  if (!carried) proto.set_raw_data(add_blob(context.blobs, tensor.bytes));
}

}  // namespace coppice::formats::onnx_detail
