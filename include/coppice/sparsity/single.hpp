#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "coppice/graph/graph.hpp"
#include "coppice/tensor/mask.hpp"
#include "coppice/tensor/tensor.hpp"

/// Masks of single tensors by the names of torch.nn.utils.prune, and layer ratios for transformers. `amount` is the
/// share to drop, in [0, 1]; exactly round(amount * n) of n weights or slices go (halves up), of equal ones the first.
namespace coppice::sparsity {

/// The smallest |w|.
tensor::Mask l1_unstructured(const tensor::Tensor& weight, double amount);
/// The smallest w^2: of single weights the same ones.
tensor::Mask l2_unstructured(const tensor::Tensor& weight, double amount);
tensor::Mask random_unstructured(const tensor::Tensor& weight, double amount, std::uint64_t seed);
/// Whole slices along axis `dim` with the smallest L1 or L2 norm (n is 1 or 2).
tensor::Mask ln_structured(const tensor::Tensor& weight, double amount, int n, std::size_t dim);
tensor::Mask random_structured(const tensor::Tensor& weight, double amount, std::size_t dim, std::uint64_t seed);

/// Masks by a threshold on |w|, and that threshold.
struct Thresholded {
  double threshold = 0;
  std::vector<tensor::Mask> masks;  ///< One a tensor.
};

/// Drops what is smaller than the `fraction`-quantile of |w| of all the weights together, between two of them linearly
/// (as torch.quantile's default): with r = fraction (n - 1) and the sorted |w| from a_0 on, the threshold is
/// a_k + (r - k)(a_{k+1} - a_k) for k = floor(r). What equals it stays, so ties may leave fewer dropped than asked for.
/// Any number of weights, in double precision. Types and errors as l1_unstructured; Error for no weights at all.
Thresholded threshold_unstructured(const std::vector<tensor::Tensor>& weights, double fraction);

/// SparsifyOptions::layers for a transformer by the usual names of its layers: `attention` for the projections into
/// attention (q_proj, k_proj, v_proj; c_attn, qkv; query, key, value), 1.5 x `mlp` for those into the hidden layer
/// (gate_proj, up_proj; c_fc; fc1; intermediate.dense; dense_h_to_4h), 0.5 x `mlp` for those out of it (down_proj;
/// c_proj; fc2; dense_4h_to_h); none above 1. Names without a layer in the graph are left out; layers without such a
/// name keep SparsifyOptions::sparsity.
std::vector<std::pair<std::string, double>> transformer_layers(const graph::Graph& graph, double attention, double mlp);
/// The same sparsity for all layers with attention, attn, mlp or intermediate in their names.
std::vector<std::pair<std::string, double>> transformer_layers(const graph::Graph& graph, double sparsity);

}  // namespace coppice::sparsity
