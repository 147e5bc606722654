#include <limits>
#include <optional>

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

using Function = at::Tensor (*)(const at::Tensor&);

template <Function kFunction>
Kernel unary(const Build&) {
  return [](Call& call) { call.out(0, kFunction(call.in(0))); };
}

Kernel bitwise_not(const Build& build) {
  return [declared = declared_type(build, build.node().input(0))](Call& call) {
    call.out(0, wrap_unsigned(at::bitwise_not(call.in(0)), declared));
  };
}

Kernel is_inf(const Build& build) {
  const bool negative = build.flag("detect_negative", true), positive = build.flag("detect_positive", true);
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    const at::Tensor found = at::isinf(x);
    if (negative && positive) return call.out(0, found);
    if (!negative && !positive) return call.out(0, at::zeros_like(found));
    call.out(0, at::logical_and(found, negative ? x < 0 : x > 0));
  };
}

// A bound that is a constant of the model.
std::optional<at::Scalar> fixed_bound(const Build& build, std::size_t operand, std::string_view attribute) {
  if (build.node().has(attribute)) return at::Scalar(build.real(attribute, 0));
  if (!build.has_input(operand)) return std::nullopt;
  const tensor::Tensor* constant = build.graph().constant(build.node().input(operand));
  if (!constant || constant->elements() != 1) return std::nullopt;
  if (is_real(constant->dtype)) return at::Scalar(element_as_double(*constant, 0));
  return at::Scalar(static_cast<std::int64_t>(element_as_int(*constant, 0)));
}

Kernel clip(const Build& build) {
  const auto low = fixed_bound(build, 1, "min"), high = fixed_bound(build, 2, "max");
  const bool low_varies = !low && build.has_input(1), high_varies = !high && build.has_input(2);
  return [=](Call& call) {
    at::Tensor x = call.in(0);
    if (low) x = at::clamp_min(x, *low);
    if (low_varies) x = at::clamp_min(x, call.in(1).to(x.device()));
    if (high) x = at::clamp_max(x, *high);
    if (high_varies) x = at::clamp_max(x, call.in(2).to(x.device()));
    call.out(0, x);
  };
}

}  // namespace

void add_unary_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Abs", unary<at::abs>});
  entries.push_back({"", "Acos", unary<at::acos>});
  entries.push_back({"", "Acosh", unary<at::acosh>});
  entries.push_back({"", "Asin", unary<at::asin>});
  entries.push_back({"", "Asinh", unary<at::asinh>});
  entries.push_back({"", "Atan", unary<at::atan>});
  entries.push_back({"", "Atanh", unary<at::atanh>});
  entries.push_back({"", "BitwiseNot", bitwise_not});
  entries.push_back({"", "Ceil", unary<at::ceil>});
  entries.push_back({"", "Clip", clip});
  entries.push_back({"", "Cos", unary<at::cos>});
  entries.push_back({"", "Cosh", unary<at::cosh>});
  entries.push_back({"", "Det", unary<at::linalg_det>});
  entries.push_back({"", "Erf", unary<at::erf>});
  entries.push_back({"", "Exp", unary<at::exp>});
  entries.push_back({"", "Floor", unary<at::floor>});
  entries.push_back({"", "IsInf", is_inf});
  entries.push_back({"", "IsNaN", unary<at::isnan>});
  entries.push_back({"", "Log", unary<at::log>});
  entries.push_back({"", "Neg", unary<at::neg>});
  entries.push_back({"", "Not", unary<at::logical_not>});
  entries.push_back({"", "Reciprocal", unary<at::reciprocal>});
  entries.push_back({"", "Round", unary<at::round>});
  entries.push_back({"", "Sign", unary<at::sign>});
  entries.push_back({"", "Sin", unary<at::sin>});
  entries.push_back({"", "Sinh", unary<at::sinh>});
  entries.push_back({"", "Sqrt", unary<at::sqrt>});
  entries.push_back({"", "Tan", unary<at::tan>});
}

}  // namespace coppice::executor
