#include "graph/ops/registry.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace coppice::graph {
namespace {

struct Registry {
  std::vector<OpDef> defs;
  std::unordered_map<std::string_view, std::size_t> by_name;  ///< First entry of that operator name.

  Registry() {
    for (auto add : {ops::add_arithmetic_ops,  ops::add_attention_ops, ops::add_constant_ops,  ops::add_contrib_ops,
                     ops::add_control_ops,     ops::add_conv_ops,      ops::add_detection_ops, ops::add_einsum_ops,
                     ops::add_elementwise_ops, ops::add_gather_ops,    ops::add_generator_ops, ops::add_join_ops,
                     ops::add_layout_ops,      ops::add_logic_ops,     ops::add_loss_ops,      ops::add_matmul_ops,
                     ops::add_misc_ops,        ops::add_norm_ops,      ops::add_pad_ops,       ops::add_pool_ops,
                     ops::add_quant_ops,       ops::add_recurrent_ops, ops::add_reduce_ops,    ops::add_reshape_ops,
                     ops::add_resize_ops,      ops::add_running_ops,   ops::add_scatter_ops,   ops::add_select_ops,
                     ops::add_sequence_ops,    ops::add_shape_ops,     ops::add_signal_ops,    ops::add_slice_ops,
                     ops::add_space_ops,       ops::add_split_ops,     ops::add_text_ops,      ops::add_unary_ops})
      add(defs);
    std::stable_sort(defs.begin(), defs.end(), [](const OpDef& a, const OpDef& b) {
      return std::tie(a.op, a.domain) < std::tie(b.op, b.domain);
    });
    for (std::size_t i = 0; i < defs.size(); ++i) by_name.try_emplace(defs[i].op, i);
  }
};

const Registry& registry() {
  static const Registry instance;
  return instance;
}

}  // namespace

const OpDef* find_op(std::string_view domain, std::string_view op) {
  if (domain == "ai.onnx") domain = {};
  const Registry& all = registry();
  const auto it = all.by_name.find(op);
  if (it == all.by_name.end()) return nullptr;
  for (std::size_t i = it->second; i < all.defs.size() && all.defs[i].op == op; ++i)
    if (all.defs[i].domain == domain) return &all.defs[i];
  return nullptr;
}

std::span<const OpDef> all_ops() {
  return registry().defs;
}

}  // namespace coppice::graph
