#include "torch/trace/ops/arithmetic.hpp"

namespace coppice::tracing {
namespace {

// Both operands are compared as the element type that libtorch would compute in.
at::ScalarType common(Site& site) {
  const at::ScalarType a = site.dtype(0);
  if (site.is_tensor(1)) {
    if (site.rank(1) == 0 && site.rank(0) > 0 && at::isFloatingType(a) == at::isFloatingType(site.dtype(1))) return a;
    return c10::promoteTypes(a, site.dtype(1));
  }
  const double number = site.real(1);
  const bool whole = number == static_cast<double>(static_cast<std::int64_t>(number));
  if (a == at::kBool) return whole ? at::kLong : at::kFloat;
  return at::isFloatingType(a) || whole ? a : at::kFloat;
}

bool compare(Site& site, std::string_view op, bool negate = false) {
  const at::ScalarType type = common(site);
  if (type == at::kBool && op != "Equal") return false;
  const ValueId a = operand(site, 0, 1, type), b = operand(site, 1, 0, type);
  site.out(negate ? site.op("Not", {site.op(op, {a, b}, {}, "equal")}) : site.op(op, {a, b}));
  return true;
}

bool eq(Site& site) {
  return compare(site, "Equal");
}
bool ne(Site& site) {
  return compare(site, "Equal", true);
}
bool lt(Site& site) {
  return compare(site, "Less");
}
bool le(Site& site) {
  return compare(site, "LessOrEqual");
}
bool gt(Site& site) {
  return compare(site, "Greater");
}
bool ge(Site& site) {
  return compare(site, "GreaterOrEqual");
}

ValueId truth(Site& site, std::size_t i) {
  return site.in(i, at::kBool);
}

bool logical_not(Site& site) {
  if (site.name() == "bitwise_not" && site.dtype(0) != at::kBool) return false;
  site.out(site.op("Not", {truth(site, 0)}));
  return true;
}

bool logical(Site& site, std::string_view op) {
  if (site.out_dtype() != at::kBool) return false;
  site.out(site.op(op, {truth(site, 0), truth(site, 1)}));
  return true;
}

bool logical_and(Site& site) {
  return logical(site, "And");
}
bool logical_or(Site& site) {
  return logical(site, "Or");
}
bool logical_xor(Site& site) {
  return logical(site, "Xor");
}

bool isnan(Site& site) {
  site.out(site.op("IsNaN", {site.in(0)}));
  return true;
}

bool isinf(Site& site) {
  site.out(site.op("IsInf", {site.in(0)}));
  return true;
}

// (condition, a, b)
bool where(Site& site) {
  if (!site.has(1)) return false;  // places that depend on the data
  const at::ScalarType type = site.out_dtype();
  const auto branch = [&](std::size_t i) {
    const auto number = site.splat(i);
    const bool shaped = site.shape(0) == site.out_shape();
    return number && shaped ? site.scalar(*number, type, "scalar") : site.in(i, type);
  };
  site.out(site.op("Where", {truth(site, 0), branch(1), branch(2)}));
  return true;
}

// (x, mask, value)
bool masked_fill(Site& site) {
  const at::ScalarType type = site.out_dtype();
  const auto number = site.splat(2);
  const ValueId value = number ? site.scalar(*number, type, "value") : site.in(2, type);
  site.out(site.op("Where", {truth(site, 1), value, site.in(0, type)}));
  return true;
}

}  // namespace

void add_compare_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"eq", eq});
  rules.push_back({"ne", ne});
  rules.push_back({"lt", lt});
  rules.push_back({"le", le});
  rules.push_back({"gt", gt});
  rules.push_back({"ge", ge});
  for (const std::string_view op : {"logical_not", "bitwise_not"}) rules.push_back({op, logical_not});
  for (const std::string_view op : {"logical_and", "bitwise_and", "__and__"}) rules.push_back({op, logical_and});
  for (const std::string_view op : {"logical_or", "bitwise_or", "__or__"}) rules.push_back({op, logical_or});
  for (const std::string_view op : {"logical_xor", "bitwise_xor", "__xor__"}) rules.push_back({op, logical_xor});
  rules.push_back({"isnan", isnan});
  rules.push_back({"isinf", isinf});
  rules.push_back({"where", where});
  rules.push_back({"masked_fill", masked_fill});
}

}  // namespace coppice::tracing
