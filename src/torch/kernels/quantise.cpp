#include "torch/kernels/quantise.hpp"

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

namespace coppice::executor {

using at::Tensor;
using tensor::DType;

Quantised quantised_as(DType dtype) {
  switch (dtype) {
    case DType::uint8:
      return {at::kByte, 0, 255};
    case DType::int8:
      return {at::kChar, -128, 127};
    case DType::uint16:
      return {at::kInt, 0, 65535};
    case DType::int16:
      return {at::kShort, -32768, 32767};
    case DType::uint4:
      return {at::kByte, 0, 15};
    case DType::int4:
      return {at::kChar, -8, 7};
    case DType::int32:
      return {at::kInt, -2147483648LL, 2147483647};
    default:
      throw Error("expected integers of 4 to 32 bits, found " + std::string(tensor::name(dtype)));
  }
}

Quantised quantised_like(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kByte:
      return quantised_as(DType::uint8);
    case at::kChar:
      return quantised_as(DType::int8);
    case at::kShort:
      return quantised_as(DType::int16);
    case at::kInt:
      return quantised_as(DType::uint16);
    default:
      throw Error(std::string("expected integers, found ") + c10::toString(tensor.scalar_type()));
  }
}

std::optional<Quantised> quantised_value(const Build& build, graph::ValueId value) {
  if (value == graph::no_value) return std::nullopt;
  const tensor::Tensor* constant = build.graph().constant(value);
  const DType dtype = constant ? constant->dtype : build.graph().values[at(value)].dtype;
  if (dtype == DType::undefined) return std::nullopt;
  return quantised_as(dtype);
}

Tensor saturate(const Tensor& y, const Tensor& zero, const Quantised& to) {
  const Tensor whole = at::round(y);
  return at::clamp(zero.defined() ? whole + zero : whole, to.low, to.high).to(to.held);
}

Tensor quantise(const Tensor& x, const Tensor& scale, const Tensor& zero, const Quantised& to) {
  const at::ScalarType real = at::promote_types(scale.scalar_type(), at::kFloat);
  return saturate(x.to(real) / scale.to(real), zero, to);
}

Tensor centred(const Tensor& x, const Tensor& zero) {
  const Tensor wide = x.to(at::kLong);
  return zero.defined() ? wide - zero : wide;
}

Tensor dequantise(const Tensor& x, const Tensor& scale, const Tensor& zero) {
  // A difference of narrow integers is exact in 32 bits, and of 32-bit ones there is none.
  const Tensor wide = zero.defined() ? x.to(at::kInt) - zero.to(at::kInt) : x;
  const at::ScalarType real = at::promote_types(scale.scalar_type(), at::kFloat);
  return (wide.to(real) * scale.to(real)).to(scale.scalar_type());
}

Tensor spread(const Tensor& list, const Tensor& x, std::int64_t axis, std::int64_t block) {
  if (!list.defined()) return list;
  if (list.dim() == 0 || (list.dim() == 1 && list.numel() == 1)) return list.reshape({});
  if (axis < 0) axis += x.dim();
  if (block > 0) return at::repeat_interleave(list, block, axis).narrow(axis, 0, x.size(axis));
  if (list.dim() > 1) return list;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape.at(static_cast<std::size_t>(axis)) = list.numel();
  return list.reshape(shape);
}

}  // namespace coppice::executor
