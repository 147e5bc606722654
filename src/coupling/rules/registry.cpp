#include <map>

#include "coupling/rules/rules.hpp"

namespace coppice::coupling {

std::span<const RuleEntry> all_rules() {
  static const auto rules = [] {
    std::vector<RuleEntry> entries;
    add_elementwise_rules(entries);
    add_conv_rules(entries);
    add_attention_rules(entries);
    add_matmul_rules(entries);
    add_norm_rules(entries);
    add_reduce_rules(entries);
    add_shape_rules(entries);
    add_select_rules(entries);
    add_spatial_rules(entries);
    add_recurrent_rules(entries);
    add_quant_rules(entries);
    return entries;
  }();
  return rules;
}

AxisRule find_rule(std::string_view domain, std::string_view op) {
  static const auto table = [] {
    std::map<std::pair<std::string_view, std::string_view>, AxisRule> out;
    for (const RuleEntry& e : all_rules()) out.emplace(std::make_pair(e.domain, e.op), e.rule);
    return out;
  }();
  const auto it = table.find({domain, op});
  return it == table.end() ? nullptr : it->second;
}

}  // namespace coppice::coupling
