#pragma once
#include <vector>

#include "coppice/graph/infer.hpp"

/// The operators that we know, one function a family. Adding an operator: write its inference function in the file of
/// its family and one entry in that file's add_..._ops.
namespace coppice::graph::ops {

void add_arithmetic_ops(std::vector<OpDef>& defs);
void add_constant_ops(std::vector<OpDef>& defs);
void add_control_ops(std::vector<OpDef>& defs);
void add_elementwise_ops(std::vector<OpDef>& defs);
void add_gather_ops(std::vector<OpDef>& defs);
void add_generator_ops(std::vector<OpDef>& defs);
void add_join_ops(std::vector<OpDef>& defs);
void add_layout_ops(std::vector<OpDef>& defs);
void add_logic_ops(std::vector<OpDef>& defs);
void add_pad_ops(std::vector<OpDef>& defs);
void add_reduce_ops(std::vector<OpDef>& defs);
void add_reshape_ops(std::vector<OpDef>& defs);
void add_running_ops(std::vector<OpDef>& defs);
void add_scatter_ops(std::vector<OpDef>& defs);
void add_select_ops(std::vector<OpDef>& defs);
void add_shape_ops(std::vector<OpDef>& defs);
void add_slice_ops(std::vector<OpDef>& defs);
void add_split_ops(std::vector<OpDef>& defs);
void add_unary_ops(std::vector<OpDef>& defs);

void add_attention_ops(std::vector<OpDef>& defs);
void add_contrib_ops(std::vector<OpDef>& defs);
void add_conv_ops(std::vector<OpDef>& defs);
void add_detection_ops(std::vector<OpDef>& defs);
void add_einsum_ops(std::vector<OpDef>& defs);
void add_loss_ops(std::vector<OpDef>& defs);
void add_matmul_ops(std::vector<OpDef>& defs);
void add_misc_ops(std::vector<OpDef>& defs);
void add_norm_ops(std::vector<OpDef>& defs);
void add_pool_ops(std::vector<OpDef>& defs);
void add_quant_ops(std::vector<OpDef>& defs);
void add_recurrent_ops(std::vector<OpDef>& defs);
void add_resize_ops(std::vector<OpDef>& defs);
void add_sequence_ops(std::vector<OpDef>& defs);
void add_signal_ops(std::vector<OpDef>& defs);
void add_space_ops(std::vector<OpDef>& defs);
void add_text_ops(std::vector<OpDef>& defs);

}  // namespace coppice::graph::ops
