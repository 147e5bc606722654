#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// The operators that are one of ONNX's on the same element type; of whole numbers libtorch makes real ones first.
struct Pair {
  std::string_view theirs, ours;
};
constexpr Pair pairs[] = {
    {"abs", "Abs"},     {"acos", "Acos"},   {"acosh", "Acosh"}, {"asin", "Asin"},
    {"asinh", "Asinh"}, {"atan", "Atan"},   {"atanh", "Atanh"}, {"ceil", "Ceil"},
    {"cos", "Cos"},     {"cosh", "Cosh"},   {"erf", "Erf"},     {"exp", "Exp"},
    {"floor", "Floor"}, {"log", "Log"},     {"neg", "Neg"},     {"reciprocal", "Reciprocal"},
    {"relu", "Relu"},   {"round", "Round"}, {"selu", "Selu"},   {"sigmoid", "Sigmoid"},
    {"sign", "Sign"},   {"sgn", "Sign"},    {"sin", "Sin"},     {"sinh", "Sinh"},
    {"sqrt", "Sqrt"},   {"tan", "Tan"},     {"tanh", "Tanh"},
};

bool unary(Site& site) {
  for (const Pair& pair : pairs) {
    if (pair.theirs != site.name()) continue;
    if (!at::isFloatingType(site.dtype(0)) && site.dtype(0) == site.out_dtype() &&
        (pair.ours == "Ceil" || pair.ours == "Floor" || pair.ours == "Round"))
      return same(site);
    site.out(site.op(pair.ours, {site.in(0, site.out_dtype())}));
    return true;
  }
  return false;
}

bool rsqrt(Site& site) {
  site.out(site.op("Reciprocal", {site.op("Sqrt", {site.in(0, site.out_dtype())}, {}, "sqrt")}));
  return true;
}

bool square(Site& site) {
  const ValueId x = site.in(0);
  site.out(site.op("Mul", {x, x}));
  return true;
}

bool log1p(Site& site) {
  const ValueId one = site.scalar(1, site.out_dtype(), "one");
  site.out(site.op("Log", {site.op("Add", {site.in(0, site.out_dtype()), one}, {}, "sum")}));
  return true;
}

bool expm1(Site& site) {
  const ValueId one = site.scalar(1, site.out_dtype(), "one");
  site.out(site.op("Sub", {site.op("Exp", {site.in(0, site.out_dtype())}, {}, "exp"), one}));
  return true;
}

// A logarithm to a base whose natural logarithm has this reciprocal.
bool logarithm(Site& site, double reciprocal) {
  const ValueId natural = site.op("Log", {site.in(0, site.out_dtype())}, {}, "log");
  site.out(site.op("Mul", {natural, site.scalar(reciprocal, site.out_dtype(), "factor")}));
  return true;
}

bool log2(Site& site) {
  return logarithm(site, 1.4426950408889634);
}

bool log10(Site& site) {
  return logarithm(site, 0.43429448190325182);
}

bool frac(Site& site) {
  const ValueId x = site.in(0);
  const ValueId size = site.op("Floor", {site.op("Abs", {x}, {}, "abs")}, {}, "floor");
  site.out(site.op("Sub", {x, site.op("Mul", {site.op("Sign", {x}, {}, "sign"), size}, {}, "whole")}));
  return true;
}

bool trunc(Site& site) {
  const ValueId x = site.in(0);
  const ValueId size = site.op("Floor", {site.op("Abs", {x}, {}, "abs")}, {}, "floor");
  site.out(site.op("Mul", {site.op("Sign", {x}, {}, "sign"), size}));
  return true;
}

}  // namespace

void add_unary_rules(std::vector<RuleEntry>& rules) {
  for (const Pair& pair : pairs) rules.push_back({pair.theirs, unary});
  rules.push_back({"rsqrt", rsqrt});
  rules.push_back({"square", square});
  rules.push_back({"log1p", log1p});
  rules.push_back({"expm1", expm1});
  rules.push_back({"log2", log2});
  rules.push_back({"log10", log10});
  rules.push_back({"frac", frac});
  rules.push_back({"trunc", trunc});
  rules.push_back({"fix", trunc});
  for (const std::string_view op : {"clone", "contiguous", "detach", "alias", "lift", "lift_fresh", "positive",
                                    "resolve_conj", "resolve_neg", "detach_copy", "requires_grad"})
    rules.push_back({op, same});
}

}  // namespace coppice::tracing
