#pragma once
#include <initializer_list>
#include <vector>

#include "torch/executor/kernel.hpp"

/// What kernels of several families do with their operands.
namespace coppice::executor {

/// Moves operands on the CPU to the device of the first one that lies elsewhere: shape arithmetic and what it makes
/// stay on the CPU until they meet data.
void to_one_device(std::initializer_list<at::Tensor*> operands);
void to_one_device(std::vector<at::Tensor>& operands);

/// All operands that are there, on one device.
std::vector<at::Tensor> all_operands(const Call& call);

/// The only element of an integer operand. Throws Error when there are more or fewer.
std::int64_t one_integer(const Call& call, std::size_t i);

/// Indices as int64 on the device of the data, counted from the front: negative ones mean `extent` more.
at::Tensor wrapped(const at::Tensor& indices, std::int64_t extent, const at::Tensor& data);

/// Where 16-bit floats have fewer kernels than others, the work is done in 32 bits.
bool is_short_float(const at::Tensor& tensor);

/// Whether the elements are whole numbers or booleans.
bool is_whole(const at::Tensor& tensor);

/// As declared; undefined where the model does not say.
tensor::DType declared_type(const Build& build, graph::ValueId value);

/// libtorch computes with wider types for some unsigned ones: brings results back into the range of the declared type.
at::Tensor wrap_unsigned(const at::Tensor& tensor, tensor::DType declared);

}  // namespace coppice::executor
