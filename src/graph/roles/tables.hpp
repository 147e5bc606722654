#pragma once
#include "coppice/tensor/tensor.hpp"

/// Tables that frameworks keep as buffers, told from parameters by their numbers.
namespace coppice::graph {

/// An additive mask: several axes, nothing but zeros and one very negative number, both present.
bool is_mask(const tensor::Tensor& tensor);

/// Real numbers that are all `number`.
bool is_filled(const tensor::Tensor& tensor, double number);

/// Cosines or sines of rotary position embeddings: the row of position 0 is all ones or all zeros, no number lies
/// beyond 1.
bool is_rotation_table(const tensor::Tensor& tensor);

}  // namespace coppice::graph
