#pragma once
#include <optional>

#include "torch/executor/kernel.hpp"

/// Quantised numbers: round half to even, then saturate.
namespace coppice::executor {

/// A quantised type as it is held: libtorch has no 4-bit and no unsigned 16-bit integers.
struct Quantised {
  at::ScalarType held = at::kByte;
  std::int64_t low = 0, high = 255;
};

/// Throws Error for a type that numbers are not quantised to.
Quantised quantised_as(tensor::DType dtype);
/// By the tensor that holds them; 32-bit integers stand for unsigned 16-bit ones.
Quantised quantised_like(const at::Tensor& tensor);
/// By what the graph says of a value; nothing where it says nothing.
std::optional<Quantised> quantised_value(const Build& build, graph::ValueId value);

/// y + zero, rounded and saturated; zero may be undefined.
at::Tensor saturate(const at::Tensor& y, const at::Tensor& zero, const Quantised& to);
/// x / scale + zero, whose shapes broadcast; zero may be undefined.
at::Tensor quantise(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& zero, const Quantised& to);
/// (x - zero) * scale, in the type of the scale; zero may be undefined.
at::Tensor dequantise(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& zero);
/// x - zero as 64-bit integers.
at::Tensor centred(const at::Tensor& x, const at::Tensor& zero);

/// A scale or zero point so that it broadcasts to x: of one number, one number an index of `axis`, or (`block` > 0) one
/// a block of that axis.
at::Tensor spread(const at::Tensor& list, const at::Tensor& x, std::int64_t axis, std::int64_t block = 0);

}  // namespace coppice::executor
