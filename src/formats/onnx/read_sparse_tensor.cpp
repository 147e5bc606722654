#include <cstring>
#include <limits>

#include "coppice/base/checked.hpp"
#include "coppice/tensor/filled.hpp"

#include "formats/onnx/reader.hpp"

namespace coppice::formats::onnx_detail {
namespace {
using tensor::DType;

std::int64_t number_at(const std::byte* numbers, std::size_t i) {
  std::int64_t out;
  std::memcpy(&out, numbers + i * sizeof out, sizeof out);
  return out;
}

std::string place(const std::byte* indices, std::size_t i, std::size_t numbers) {
  std::string out;
  for (std::size_t k = 0; k < numbers; ++k)
    out += (out.empty() ? "" : ",") + std::to_string(number_at(indices, i * numbers + k));
  return out;
}

/// Indices with one number an axis become places in memory order.
tensor::Bytes linear(const tensor::Bytes& indices, const tensor::Shape& shape, const Where& where) {
  const std::size_t rank = shape.size(), count = indices.size() / sizeof(std::int64_t) / rank;
  tensor::Buffer out(count * sizeof(std::int64_t));
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t& at = out.as<std::int64_t>()[i] = 0;
    for (std::size_t k = 0; k < rank; ++k) {
      const std::int64_t index = number_at(indices.data(), i * rank + k);
      if (index < 0 || index >= shape[k])
        where.fail("expected indices within " + tensor::to_string(shape) + ", found " + place(indices.data(), i, rank));
      at = at * shape[k] + index;
    }
  }
  return std::move(out).freeze();
}

void check_ascent(const tensor::Bytes& places, std::int64_t elements, const Where& where) {
  std::int64_t before = -1;
  for (std::size_t i = 0; i < places.size() / sizeof(std::int64_t); ++i) {
    const std::int64_t at = number_at(places.data(), i);
    if (at < 0 || at >= elements)
      where.fail("expected indices from 0 to below " + std::to_string(elements) + ", found " + std::to_string(at));
    if (at <= before)
      where.fail("expected indices that ascend, found " + std::to_string(at) + " behind " + std::to_string(before));
    before = at;
  }
}

/// Places of `count` values in memory order, checked.
tensor::Bytes read_places(onnx::SparseTensorProto& proto, const tensor::Shape& shape, std::int64_t count,
                          const Where& where, ReadContext& context) {
  if (!proto.has_indices() && count == 0) return {};
  if (!proto.has_indices()) where.fail("expected indices of " + std::to_string(count) + " values, found none");
  const tensor::Tensor indices = read_tensor(*proto.mutable_indices(), where, context).tensor;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const bool flat = indices.shape == tensor::Shape{count};
  if (indices.dtype != DType::int64 || (!flat && indices.shape != tensor::Shape{count, rank}))
    where.fail("expected indices int64 " + std::to_string(count) + " or " +
               tensor::to_string(tensor::Shape{count, rank}) + ", found " + std::string(name(indices.dtype)) + " " +
               tensor::to_string(indices.shape));
  const tensor::Bytes places = flat ? indices.bytes : linear(indices.bytes, shape, where);
  check_ascent(places, tensor::element_count(shape), where);
  return places;
}

}  // namespace

std::optional<ReadTensor> read_sparse_tensor(onnx::SparseTensorProto& proto, const Where& where, ReadContext& context) {
  const auto dtype = static_cast<DType>(proto.values().data_type());
  if (!tensor::can_leave_out(dtype)) return std::nullopt;
  tensor::Shape shape(proto.dims().begin(), proto.dims().end());
  const auto elements = base::checked_product(shape);
  const std::size_t width = tensor::byte_size(dtype, 1);
  if (shape.empty() || !elements || *elements > std::numeric_limits<std::int64_t>::max() / 128)
    where.fail("expected sizes of 0 or more whose product can be counted, found " + tensor::to_string(shape));
  const std::uint64_t bytes = static_cast<std::uint64_t>(*elements) * width;
  if (bytes > context.sparse_room)
    where.fail("expected sparse initializers of at most " + std::to_string(context.sparse_room) +
               " more bytes when dense, found " + std::to_string(bytes));
  ReadTensor values = read_tensor(*proto.mutable_values(), where, context);
  if (values.tensor.shape.size() != 1)
    where.fail("expected a list of values, found " + tensor::to_string(values.tensor.shape));
  const tensor::Bytes places = read_places(proto, shape, values.tensor.shape[0], where, context);
  context.sparse_room -= bytes;
  const auto make = [from = values.tensor.bytes, places, width, bytes] {
    tensor::Buffer out(static_cast<std::size_t>(bytes));
    tensor::put_filled(from.span(), places.span(), width, out.span());
    return std::move(out).freeze();
  };
  values.tensor.shape = std::move(shape);
  values.tensor.bytes = tensor::Bytes::later(static_cast<std::size_t>(bytes), make);
  return values;
}

}  // namespace coppice::formats::onnx_detail
