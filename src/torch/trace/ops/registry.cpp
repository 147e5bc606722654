#include <map>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {

std::span<const RuleEntry> all_rules() {
  static const auto rules = [] {
    std::vector<RuleEntry> entries;
    add_activation_rules(entries);
    add_arithmetic_rules(entries);
    add_attention_rules(entries);
    add_compare_rules(entries);
    add_conv_rules(entries);
    add_create_rules(entries);
    add_layout_rules(entries);
    add_linear_rules(entries);
    add_norm_rules(entries);
    add_pad_rules(entries);
    add_pool_rules(entries);
    add_recurrent_rules(entries);
    add_reduce_rules(entries);
    add_resize_rules(entries);
    add_select_rules(entries);
    add_unary_rules(entries);
    add_window_rules(entries);
    return entries;
  }();
  return rules;
}

Rule find_rule(std::string_view op) {
  static const auto table = [] {
    std::map<std::string_view, Rule> out;
    for (const RuleEntry& entry : all_rules()) out.emplace(entry.op, entry.rule);
    return out;
  }();
  const auto it = table.find(op);
  return it == table.end() ? nullptr : it->second;
}

bool same(Site& site) {
  site.out(site.in(0));
  return true;
}

Ints spread(Ints values, std::size_t count) {
  if (values.size() == 1) values.resize(count, values[0]);
  return values;
}

Ints both_ends(const Ints& pads) {
  Ints out = pads;
  out.insert(out.end(), pads.begin(), pads.end());
  return out;
}

}  // namespace coppice::tracing
