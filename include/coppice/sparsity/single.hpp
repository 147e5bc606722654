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
tensor::Mask random_unstructured(const tensor::Tensor& weight, double amount, std::uint64_t seed);
/// Whole slices along axis `dim` with the smallest L1 or L2 norm (n is 1 or 2).
tensor::Mask ln_structured(const tensor::Tensor& weight, double amount, int n, std::size_t dim);
tensor::Mask random_structured(const tensor::Tensor& weight, double amount, std::size_t dim, std::uint64_t seed);

/// SparsifyOptions::layers for a transformer by the usual names of its layers: `attention` for q_proj, k_proj and
/// v_proj in self_attn, 1.5 x `mlp` for gate_proj and up_proj, 0.5 x `mlp` for down_proj in mlp; none above 1. Names
/// without a layer in the graph are left out.
std::vector<std::pair<std::string, double>> transformer_layers(const graph::Graph& graph, double attention, double mlp);

}  // namespace coppice::sparsity
