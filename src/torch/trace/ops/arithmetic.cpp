#include "torch/trace/ops/arithmetic.hpp"

namespace coppice::tracing {
namespace {

// (a, b, alpha): a + alpha * b
bool sum(Site& site, std::string_view op, std::size_t a, std::size_t b) {
  const at::ScalarType type = site.out_dtype();
  ValueId right = operand(site, b, a, type);
  const double alpha = site.real(2, 1);
  if (alpha != 1) right = site.op("Mul", {right, site.scalar(alpha, type, "alpha")}, {}, "scaled");
  site.out(site.op(op, {operand(site, a, b, type), right}));
  return true;
}

bool add(Site& site) {
  if (site.out_dtype() == at::kBool) return false;
  return sum(site, "Add", 0, 1);
}

bool sub(Site& site) {
  return sum(site, "Sub", 0, 1);
}

// (a, b, alpha): b - alpha * a
bool rsub(Site& site) {
  const at::ScalarType type = site.out_dtype();
  ValueId right = operand(site, 0, 1, type);
  const double alpha = site.real(2, 1);
  if (alpha != 1) right = site.op("Mul", {right, site.scalar(alpha, type, "alpha")}, {}, "scaled");
  site.out(site.op("Sub", {operand(site, 1, 0, type), right}));
  return true;
}

bool mul(Site& site) {
  const at::ScalarType type = site.out_dtype();
  const std::string_view op = type == at::kBool ? "And" : "Mul";
  site.out(site.op(op, {operand(site, 0, 1, type), operand(site, 1, 0, type)}));
  return true;
}

// Rounded down. Of whole numbers by the remainder, which has the divisor's sign: ONNX's Div rounds to zero.
ValueId floored(Site& site, ValueId a, ValueId b, at::ScalarType type) {
  if (at::isFloatingType(type)) return site.op("Floor", {site.op("Div", {a, b}, {}, "quotient")});
  const ValueId rest = site.op("Mod", {a, b}, {}, "rest");
  return site.op("Div", {site.op("Sub", {a, rest}, {}, "multiple"), b});
}

ValueId truncated(Site& site, ValueId a, ValueId b, at::ScalarType type) {
  if (!at::isFloatingType(type)) return site.op("Div", {a, b});
  const ValueId quotient = site.op("Div", {a, b}, {}, "quotient");
  const ValueId size = site.op("Floor", {site.op("Abs", {quotient}, {}, "abs")}, {}, "floor");
  return site.op("Mul", {site.op("Sign", {quotient}, {}, "sign"), size});
}

// (a, b, rounding_mode)
bool div(Site& site) {
  const at::ScalarType type = site.out_dtype();
  const ValueId a = operand(site, 0, 1, type), b = operand(site, 1, 0, type);
  const std::string mode = site.text(2);
  site.out(mode == "floor"   ? floored(site, a, b, type)
           : mode == "trunc" ? truncated(site, a, b, type)
                             : site.op("Div", {a, b}));
  return true;
}

bool floor_divide(Site& site) {
  const at::ScalarType type = site.out_dtype();
  site.out(floored(site, operand(site, 0, 1, type), operand(site, 1, 0, type), type));
  return true;
}

// The remainder has the divisor's sign: a - b * floor(a / b).
bool remainder(Site& site) {
  const at::ScalarType type = site.out_dtype();
  const ValueId a = operand(site, 0, 1, type), b = operand(site, 1, 0, type);
  if (!at::isFloatingType(type)) {
    site.out(site.op("Mod", {a, b}));
    return true;
  }
  const ValueId whole = site.op("Floor", {site.op("Div", {a, b}, {}, "quotient")}, {}, "floor");
  site.out(site.op("Sub", {a, site.op("Mul", {b, whole}, {}, "multiple")}));
  return true;
}

bool fmod(Site& site) {
  const at::ScalarType type = site.out_dtype();
  site.out(site.op("Mod", {operand(site, 0, 1, type), operand(site, 1, 0, type)}, {attr("fmod", 1)}));
  return true;
}

bool pow(Site& site) {
  const at::ScalarType type = site.out_dtype();
  const double exponent = site.is_tensor(1) ? 0 : site.real(1);
  const ValueId base = operand(site, 0, 1, type);
  if (exponent == 2) {
    site.out(site.op("Mul", {base, base}));
  } else if (exponent == 0.5) {
    site.out(site.op("Sqrt", {base}));
  } else if (exponent == 1) {
    site.out(base);
  } else {
    site.out(site.op("Pow", {base, operand(site, 1, 0, type)}));
  }
  return true;
}

bool extreme(Site& site, std::string_view op) {
  const at::ScalarType type = site.out_dtype();
  site.out(site.op(op, {operand(site, 0, 1, type), operand(site, 1, 0, type)}));
  return true;
}

bool maximum(Site& site) {
  return extreme(site, "Max");
}

bool minimum(Site& site) {
  return extreme(site, "Min");
}

// (x, min, max), numbers or tensors.
bool clamp_between(Site& site, std::size_t low, std::size_t high) {
  const at::ScalarType type = site.out_dtype();
  ValueId x = site.in(0, type);
  const bool numbers = !site.is_tensor(low) && !site.is_tensor(high);
  if (numbers) {
    const ValueId min = site.has(low) ? site.scalar(site.real(low), type, "min") : graph::no_value;
    std::vector<ValueId> inputs{x, min};
    if (site.has(high)) inputs.push_back(site.scalar(site.real(high), type, "max"));
    site.out(site.op("Clip", std::move(inputs)));
    return true;
  }
  if (site.has(low)) x = site.op("Max", {x, site.in(low, type)}, {}, site.has(high) ? "above" : "");
  if (site.has(high)) x = site.op("Min", {x, site.in(high, type)});
  site.out(x);
  return true;
}

bool clamp(Site& site) {
  return clamp_between(site, 1, 2);
}

constexpr std::size_t absent = 99;

bool clamp_min(Site& site) {
  return clamp_between(site, 1, absent);
}

bool clamp_max(Site& site) {
  return clamp_between(site, absent, 1);
}

// (x, a, b, value): x + value * a op b
bool with_term(Site& site, std::string_view op) {
  const at::ScalarType type = site.out_dtype();
  ValueId term = site.op(op, {site.in(1, type), site.in(2, type)}, {}, "term");
  const double value = site.real(3, 1);
  if (value != 1) term = site.op("Mul", {term, site.scalar(value, type, "value")}, {}, "scaled");
  site.out(site.op("Add", {site.in(0, type), term}));
  return true;
}

bool addcmul(Site& site) {
  return with_term(site, "Mul");
}

bool addcdiv(Site& site) {
  return with_term(site, "Div");
}

// (start, end, weight)
bool lerp(Site& site) {
  const at::ScalarType type = site.out_dtype();
  const ValueId way = site.op("Sub", {site.in(1), site.in(0)}, {}, "way");
  site.out(site.op("Add", {site.in(0), site.op("Mul", {way, site.in(2, type)}, {}, "part")}));
  return true;
}

}  // namespace

ValueId operand(Site& site, std::size_t i, std::size_t other, at::ScalarType type) {
  const auto number = site.splat(i);
  const bool other_is_whole = site.is_tensor(other) && site.shape(other) == site.out_shape();
  if (number && (!site.is_tensor(i) || other_is_whole)) return site.scalar(*number, type, "scalar");
  return site.in(i, type);
}

void add_arithmetic_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"add", add});
  rules.push_back({"sub", sub});
  rules.push_back({"rsub", rsub});
  rules.push_back({"mul", mul});
  rules.push_back({"multiply", mul});
  rules.push_back({"div", div});
  rules.push_back({"true_divide", div});
  rules.push_back({"floor_divide", floor_divide});
  rules.push_back({"remainder", remainder});
  rules.push_back({"fmod", fmod});
  rules.push_back({"pow", pow});
  rules.push_back({"maximum", maximum});
  rules.push_back({"minimum", minimum});
  rules.push_back({"clamp", clamp});
  rules.push_back({"clip", clamp});
  rules.push_back({"clamp_min", clamp_min});
  rules.push_back({"clamp_max", clamp_max});
  rules.push_back({"addcmul", addcmul});
  rules.push_back({"addcdiv", addcdiv});
  rules.push_back({"lerp", lerp});
}

}  // namespace coppice::tracing
