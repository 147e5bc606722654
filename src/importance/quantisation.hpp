#pragma once
#include "coppice/graph/quantisation.hpp"

namespace coppice::importance {

using graph::Quantisation;

/// What the sums of |q - zero|^power along `axis` are multiplied by, at that index. Scales along another axis have no
/// factor of their own here; their mean stands for them.
double sum_factor(const Quantisation& how, std::size_t axis, std::size_t index, int power);

/// The real numbers.
tensor::Tensor dequantised(const tensor::Tensor& tensor, const Quantisation& how);

}  // namespace coppice::importance
