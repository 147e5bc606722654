#pragma once
#include "coppice/tensor/tensor.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice {

/// libtorch's element type for one of ours. Unsigned integers that libtorch has no arithmetic for widen: uint16 to
/// int32, uint32 and uint64 to int64; packed 4-bit integers become 8-bit ones. Throws Error for strings and the 8-bit
/// and 4-bit floats.
at::ScalarType scalar_type(tensor::DType dtype);
/// Ours for libtorch's. Throws Error for quantised types and other ones without a counterpart.
tensor::DType element_type(at::ScalarType type);

/// A copy on the CPU that may be written to; 16-bit and wider unsigned values beyond the wider type's range wrap.
at::Tensor to_torch(const tensor::Tensor& tensor);

/// The same elements, row-major. Shares the memory of a contiguous CPU tensor, which then must not be resized; whoever
/// writes to the one writes to the other. Others are copied.
tensor::Tensor to_coppice(const at::Tensor& tensor);

}  // namespace coppice
