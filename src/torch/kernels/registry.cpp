#include <map>
#include <utility>

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {

std::span<const KernelEntry> all_kernels() {
  static const auto kernels = [] {
    std::vector<KernelEntry> entries;
    add_arithmetic_kernels(entries);
    add_attention_kernels(entries);
    add_batch_norm_kernels(entries);
    add_contrib_kernels(entries);
    add_control_kernels(entries);
    add_conv_kernels(entries);
    add_detection_kernels(entries);
    add_dropout_kernels(entries);
    add_elementwise_kernels(entries);
    add_gather_kernels(entries);
    add_generator_kernels(entries);
    add_grid_kernels(entries);
    add_grouped_attention_kernels(entries);
    add_join_kernels(entries);
    add_layer_norm_kernels(entries);
    add_logic_kernels(entries);
    add_loss_kernels(entries);
    add_matmul_kernels(entries);
    add_norm_kernels(entries);
    add_pad_kernels(entries);
    add_pool_kernels(entries);
    add_qlinear_kernels(entries);
    add_quant_kernels(entries);
    add_recurrent_kernels(entries);
    add_reduce_kernels(entries);
    add_region_kernels(entries);
    add_reshape_kernels(entries);
    add_resize_kernels(entries);
    add_rotary_kernels(entries);
    add_running_kernels(entries);
    add_runtime_attention_kernels(entries);
    add_scan_kernels(entries);
    add_scatter_kernels(entries);
    add_select_kernels(entries);
    add_shape_kernels(entries);
    add_signal_kernels(entries);
    add_slice_kernels(entries);
    add_softmax_kernels(entries);
    add_space_kernels(entries);
    add_split_kernels(entries);
    add_unary_kernels(entries);
    return entries;
  }();
  return kernels;
}

MakeKernel find_kernel(std::string_view domain, std::string_view op) {
  static const auto table = [] {
    std::map<std::pair<std::string_view, std::string_view>, MakeKernel> out;
    for (const KernelEntry& entry : all_kernels()) out.emplace(std::make_pair(entry.domain, entry.op), entry.make);
    return out;
  }();
  const auto it = table.find({domain, op});
  return it == table.end() ? nullptr : it->second;
}

}  // namespace coppice::executor
