#include "coppice/base/error.hpp"

#include "torch/kernels/binary.hpp"
#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

at::Tensor add(const at::Tensor& a, const at::Tensor& b) {
  return at::add(a, b);
}

at::Tensor div(const at::Tensor& a, const at::Tensor& b) {
  return is_whole(a) && is_whole(b) ? at::div(a, b, "trunc") : at::div(a, b);
}

Kernel plus(const Build& build) {
  return with_unsigned(build, [](const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); });
}

Kernel minus(const Build& build) {
  return with_unsigned(build, [](const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); });
}

Kernel times(const Build& build) {
  return with_unsigned(build, [](const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); });
}

// The result has the type of the base.
at::Tensor pow(const at::Tensor& a, const at::Tensor& b) {
  return at::pow(a, b).to(a.scalar_type());
}

Kernel mod(const Build& build) {
  return with_unsigned(build, [truncate = build.flag("fmod")](const at::Tensor& a, const at::Tensor& b) {
    if (is_short_float(a)) {
      const at::Tensor x = a.to(at::kFloat), y = b.to(at::kFloat);
      return (truncate ? at::fmod(x, y) : at::remainder(x, y)).to(a.scalar_type());
    }
    return truncate ? at::fmod(a, b) : at::remainder(a, b);
  });
}

at::Tensor first(const std::vector<at::Tensor>& operands) {
  if (operands.empty()) throw Error("expected one operand or more, found none");
  return operands[0];
}

template <BinaryFunction kFunction>
Kernel fold(const Build&) {
  return [](Call& call) {
    const std::vector<at::Tensor> operands = all_operands(call);
    at::Tensor out = first(operands);
    for (std::size_t i = 1; i < operands.size(); ++i) out = kFunction(out, operands[i]);
    call.out(0, out);
  };
}

Kernel mean(const Build&) {
  return [](Call& call) {
    const std::vector<at::Tensor> operands = all_operands(call);
    at::Tensor sum = first(operands);
    for (std::size_t i = 1; i < operands.size(); ++i) sum = sum + operands[i];
    call.out(0, operands.size() == 1 ? sum : sum / static_cast<double>(operands.size()));
  };
}

}  // namespace

void add_arithmetic_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Add", plus});
  entries.push_back({"", "Div", binary<div>});
  entries.push_back({"", "Max", fold<at::maximum>});
  entries.push_back({"", "Mean", mean});
  entries.push_back({"", "Min", fold<at::minimum>});
  entries.push_back({"", "Mod", mod});
  entries.push_back({"", "Mul", times});
  entries.push_back({"", "Pow", binary<pow>});
  entries.push_back({"", "Sub", minus});
  entries.push_back({"", "Sum", fold<add>});
}

}  // namespace coppice::executor
