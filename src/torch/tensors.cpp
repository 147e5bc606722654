#include "coppice/torch/tensors.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coppice/base/error.hpp"

namespace coppice {
namespace {

using tensor::DType;

struct Pair {
  DType ours;
  at::ScalarType theirs;
};

// Those that are the same on both sides, bit for bit.
constexpr std::array<Pair, 12> same{{{DType::float32, at::kFloat},
                                     {DType::float64, at::kDouble},
                                     {DType::float16, at::kHalf},
                                     {DType::bfloat16, at::kBFloat16},
                                     {DType::uint8, at::kByte},
                                     {DType::int8, at::kChar},
                                     {DType::int16, at::kShort},
                                     {DType::int32, at::kInt},
                                     {DType::int64, at::kLong},
                                     {DType::boolean, at::kBool},
                                     {DType::complex64, at::kComplexFloat},
                                     {DType::complex128, at::kComplexDouble}}};
// Those that libtorch has no arithmetic for.
constexpr std::array<Pair, 5> wider{{{DType::uint16, at::kInt},
                                     {DType::uint32, at::kLong},
                                     {DType::uint64, at::kLong},
                                     {DType::uint4, at::kByte},
                                     {DType::int4, at::kChar}}};

bool is_same(DType dtype) {
  for (const Pair& pair : same)
    if (pair.ours == dtype) return true;
  return false;
}

// Two 4-bit numbers share a byte, the first in its low half.
std::int64_t whole_number(const tensor::Tensor& tensor, std::int64_t index) {
  if (tensor::bit_width(tensor.dtype) != 4) return element_as_int(tensor, index);
  const auto byte = std::to_integer<std::int64_t>(tensor.bytes.data()[index / 2]);
  const std::int64_t bits = index % 2 == 0 ? byte & 15 : byte >> 4;
  return tensor.dtype == DType::int4 && bits > 7 ? bits - 16 : bits;
}

}  // namespace

at::ScalarType scalar_type(DType dtype) {
  for (const Pair& pair : same)
    if (pair.ours == dtype) return pair.theirs;
  for (const Pair& pair : wider)
    if (pair.ours == dtype) return pair.theirs;
  throw Error("libtorch has no tensors of " + std::string(tensor::name(dtype)));
}

tensor::DType element_type(at::ScalarType type) {
  for (const Pair& pair : same)
    if (pair.theirs == type) return pair.ours;
  throw Error(std::string("no ONNX element type stands for libtorch's ") + c10::toString(type));
}

at::Tensor to_torch(const tensor::Tensor& tensor) {
  const at::ScalarType type = scalar_type(tensor.dtype);
  at::Tensor out = at::empty(tensor.shape, at::TensorOptions(type));
  const std::int64_t count = tensor.elements();
  if (is_same(tensor.dtype)) {
    if (count > 0) std::memcpy(out.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return out;
  }
  at::Tensor wide = at::empty({count}, at::kLong);
  std::int64_t* const to = wide.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) to[i] = whole_number(tensor, i);
  return wide.to(type).reshape(tensor.shape);
}

tensor::Tensor to_coppice(const at::Tensor& tensor) {
  const DType dtype = element_type(tensor.scalar_type());
  auto held = std::make_shared<at::Tensor>(tensor.detach().to(at::kCPU).contiguous());
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(held->data_ptr()), held->nbytes());
  return {dtype, held->sizes().vec(), tensor::Bytes(std::move(held), bytes), nullptr};
}

}  // namespace coppice
