#pragma once
#include <vector>

#include "torch/executor/kernel.hpp"

/// One function a family of operators.
namespace coppice::executor {

void add_arithmetic_kernels(std::vector<KernelEntry>& entries);
void add_attention_kernels(std::vector<KernelEntry>& entries);
void add_batch_norm_kernels(std::vector<KernelEntry>& entries);
void add_contrib_kernels(std::vector<KernelEntry>& entries);
void add_control_kernels(std::vector<KernelEntry>& entries);
void add_conv_kernels(std::vector<KernelEntry>& entries);
void add_detection_kernels(std::vector<KernelEntry>& entries);
void add_dropout_kernels(std::vector<KernelEntry>& entries);
void add_elementwise_kernels(std::vector<KernelEntry>& entries);
void add_gather_kernels(std::vector<KernelEntry>& entries);
void add_generator_kernels(std::vector<KernelEntry>& entries);
void add_grid_kernels(std::vector<KernelEntry>& entries);
void add_grouped_attention_kernels(std::vector<KernelEntry>& entries);
void add_join_kernels(std::vector<KernelEntry>& entries);
void add_layer_norm_kernels(std::vector<KernelEntry>& entries);
void add_logic_kernels(std::vector<KernelEntry>& entries);
void add_loss_kernels(std::vector<KernelEntry>& entries);
void add_matmul_kernels(std::vector<KernelEntry>& entries);
void add_norm_kernels(std::vector<KernelEntry>& entries);
void add_pad_kernels(std::vector<KernelEntry>& entries);
void add_pool_kernels(std::vector<KernelEntry>& entries);
void add_qlinear_kernels(std::vector<KernelEntry>& entries);
void add_quant_kernels(std::vector<KernelEntry>& entries);
void add_recurrent_kernels(std::vector<KernelEntry>& entries);
void add_reduce_kernels(std::vector<KernelEntry>& entries);
void add_region_kernels(std::vector<KernelEntry>& entries);
void add_reshape_kernels(std::vector<KernelEntry>& entries);
void add_resize_kernels(std::vector<KernelEntry>& entries);
void add_rotary_kernels(std::vector<KernelEntry>& entries);
void add_running_kernels(std::vector<KernelEntry>& entries);
void add_runtime_attention_kernels(std::vector<KernelEntry>& entries);
void add_scan_kernels(std::vector<KernelEntry>& entries);
void add_scatter_kernels(std::vector<KernelEntry>& entries);
void add_select_kernels(std::vector<KernelEntry>& entries);
void add_shape_kernels(std::vector<KernelEntry>& entries);
void add_signal_kernels(std::vector<KernelEntry>& entries);
void add_slice_kernels(std::vector<KernelEntry>& entries);
void add_softmax_kernels(std::vector<KernelEntry>& entries);
void add_space_kernels(std::vector<KernelEntry>& entries);
void add_split_kernels(std::vector<KernelEntry>& entries);
void add_unary_kernels(std::vector<KernelEntry>& entries);

}  // namespace coppice::executor
