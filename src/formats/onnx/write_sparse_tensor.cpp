#include "coppice/base/named.hpp"
#include "coppice/tensor/filled.hpp"

#include "formats/onnx/writer.hpp"

namespace coppice::formats {
namespace {

constexpr base::Names<Encoding, 2> names{
    {{Encoding::dense, "dense"}, {Encoding::sparse_initializer, "sparse_initializer"}}};

// What a sparse message has around its values and a dense one has not: lengths, and the names of fields.
constexpr std::uint64_t message_bytes = 64;

}  // namespace

std::string_view to_string(Encoding encoding) {
  return base::find_name(names, encoding);
}

Encoding parse_encoding(std::string_view text) {
  return base::parse_name("encoding", names, text);
}

bool smaller_sparse(const tensor::Tensor& tensor) {
  return onnx_detail::filled_when_smaller(tensor).has_value();
}

namespace onnx_detail {

std::optional<std::int64_t> filled_when_smaller(const tensor::Tensor& tensor) {
  // A scalar has no place that the format could name.
  if (!tensor::is_real(tensor.dtype) || tensor.shape.empty() || tensor.bytes.size() <= message_bytes)
    return std::nullopt;
  const std::int64_t filled = tensor::count_filled(tensor);
  const std::uint64_t each = tensor::byte_size(tensor.dtype, 1) + sizeof(std::int64_t);
  if (static_cast<std::uint64_t>(filled) * each + message_bytes >= tensor.bytes.size()) return std::nullopt;
  return filled;
}

void write_sparse_tensor(const tensor::Tensor& tensor, std::int64_t filled, onnx::SparseTensorProto& proto,
                         WriteContext& context) {
  const std::size_t bytes = tensor::byte_size(tensor.dtype, filled);
  const std::size_t index_bytes = static_cast<std::size_t>(filled) * sizeof(std::int64_t);
  const auto values = [tensor, bytes] {
    tensor::Buffer out(bytes);
    tensor::filled_values(tensor, out.span());
    return std::move(out).freeze();
  };
  const auto places = [tensor, index_bytes] {
    tensor::Buffer out(index_bytes);
    tensor::filled_places(tensor, out.as<std::int64_t>());
    return std::move(out).freeze();
  };
  const auto write = [&](tensor::DType dtype, tensor::Bytes later, onnx::TensorProto& part) {
    write_tensor({dtype, {filled}, std::move(later), nullptr}, false, part, context);
  };
  write(tensor.dtype, tensor::Bytes::later(bytes, values), *proto.mutable_values());
  write(tensor::DType::int64, tensor::Bytes::later(index_bytes, places), *proto.mutable_indices());
  for (const std::int64_t extent : tensor.shape) proto.add_dims(extent);
}

}  // namespace onnx_detail
}  // namespace coppice::formats
