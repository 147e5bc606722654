#pragma once
#include <vector>

#include "torch/trace/site.hpp"

/// One function a family of operators.
namespace coppice::tracing {

void add_activation_rules(std::vector<RuleEntry>& rules);
void add_arithmetic_rules(std::vector<RuleEntry>& rules);
void add_attention_rules(std::vector<RuleEntry>& rules);
void add_compare_rules(std::vector<RuleEntry>& rules);
void add_conv_rules(std::vector<RuleEntry>& rules);
void add_create_rules(std::vector<RuleEntry>& rules);
void add_layout_rules(std::vector<RuleEntry>& rules);
void add_linear_rules(std::vector<RuleEntry>& rules);
void add_norm_rules(std::vector<RuleEntry>& rules);
void add_pad_rules(std::vector<RuleEntry>& rules);
void add_pool_rules(std::vector<RuleEntry>& rules);
void add_recurrent_rules(std::vector<RuleEntry>& rules);
void add_reduce_rules(std::vector<RuleEntry>& rules);
void add_resize_rules(std::vector<RuleEntry>& rules);
void add_select_rules(std::vector<RuleEntry>& rules);
void add_unary_rules(std::vector<RuleEntry>& rules);
void add_window_rules(std::vector<RuleEntry>& rules);

/// The operator gives back its first argument.
bool same(Site& site);

/// One entry an axis: a single number stands for all of them.
Ints spread(Ints values, std::size_t count);

/// ONNX's pads: the same at both ends of each axis.
Ints both_ends(const Ints& pads);

}  // namespace coppice::tracing
