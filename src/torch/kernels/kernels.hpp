#pragma once
#include <vector>

#include "torch/executor/kernel.hpp"

/// One function a family of operators.
namespace coppice::executor {

void add_attention_kernels(std::vector<KernelEntry>& entries);
void add_batch_norm_kernels(std::vector<KernelEntry>& entries);
void add_contrib_kernels(std::vector<KernelEntry>& entries);
void add_conv_kernels(std::vector<KernelEntry>& entries);
void add_elementwise_kernels(std::vector<KernelEntry>& entries);
void add_grid_kernels(std::vector<KernelEntry>& entries);
void add_grouped_attention_kernels(std::vector<KernelEntry>& entries);
void add_layer_norm_kernels(std::vector<KernelEntry>& entries);
void add_matmul_kernels(std::vector<KernelEntry>& entries);
void add_norm_kernels(std::vector<KernelEntry>& entries);
void add_pool_kernels(std::vector<KernelEntry>& entries);
void add_qlinear_kernels(std::vector<KernelEntry>& entries);
void add_quant_kernels(std::vector<KernelEntry>& entries);
void add_recurrent_kernels(std::vector<KernelEntry>& entries);
void add_region_kernels(std::vector<KernelEntry>& entries);
void add_resize_kernels(std::vector<KernelEntry>& entries);
void add_rotary_kernels(std::vector<KernelEntry>& entries);
void add_runtime_attention_kernels(std::vector<KernelEntry>& entries);
void add_shape_kernels(std::vector<KernelEntry>& entries);
void add_softmax_kernels(std::vector<KernelEntry>& entries);

}  // namespace coppice::executor
