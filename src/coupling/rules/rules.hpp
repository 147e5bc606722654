#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "coupling/rule_context.hpp"

namespace coppice::coupling {

using AxisRule = void (*)(RuleContext&);

struct RuleEntry {
  std::string_view domain, op;
  AxisRule rule;
};

/// The axis rule of an operator; null when it has none, so that what it touches is locked.
AxisRule find_rule(std::string_view domain, std::string_view op);
/// Every operator that has a rule.
std::span<const RuleEntry> all_rules();

// One function a file of rules; all_rules() is made of these.
void add_elementwise_rules(std::vector<RuleEntry>& rules);
void add_conv_rules(std::vector<RuleEntry>& rules);
void add_attention_rules(std::vector<RuleEntry>& rules);
void add_matmul_rules(std::vector<RuleEntry>& rules);
void add_norm_rules(std::vector<RuleEntry>& rules);
void add_reduce_rules(std::vector<RuleEntry>& rules);
void add_shape_rules(std::vector<RuleEntry>& rules);
void add_select_rules(std::vector<RuleEntry>& rules);
void add_spatial_rules(std::vector<RuleEntry>& rules);
void add_recurrent_rules(std::vector<RuleEntry>& rules);
void add_quant_rules(std::vector<RuleEntry>& rules);

// Shared between files.
/// Results take the axes of operand 0 (every result of equal rank).
void same_axes(RuleContext& c);
/// Operands `which` are broadcast together; every result has the broadcast axes.
void broadcast_operands(RuleContext& c, const std::vector<std::size_t>& which);
/// Convolution with operands at the given places; bias < 0: none.
void convolution(RuleContext& c, std::size_t x, std::size_t w, int bias);
/// Matrix product of operands a and b.
void matrix_product(RuleContext& c, std::size_t a, std::size_t b);

}  // namespace coppice::coupling
