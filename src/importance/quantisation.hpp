#pragma once
#include <vector>

#include "coppice/importance/members.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::importance {

/// How the integers of a constant stand for real numbers: (q - zero) * scale.
struct Quantisation {
  tensor::ZeroPoint zero;
  std::vector<double> scales;  ///< Empty: 1; one: for the whole tensor; else one an index of `axis`.
  std::size_t axis = 0;
};

/// As the first node that dequantises the constant reads it; nothing for a constant of real numbers, or where scale
/// and zero point are not constant vectors.
Quantisation quantisation(const graph::Graph& graph, const Readers& readers, graph::ValueId constant);

/// What the sums of |q - zero|^power along `axis` are multiplied by, at that index. Scales along another axis have no
/// factor of their own here; their mean stands for them.
double sum_factor(const Quantisation& how, std::size_t axis, std::size_t index, int power);

/// The real numbers.
tensor::Tensor dequantised(const tensor::Tensor& tensor, const Quantisation& how);

}  // namespace coppice::importance
