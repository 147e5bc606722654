#include "coppice/base/error.hpp"

#include "torch/kernels/binary.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

Tensor equal(const Tensor& a, const Tensor& b) {
  return at::eq(a, b);
}

Tensor greater(const Tensor& a, const Tensor& b) {
  return at::gt(a, b);
}

Tensor greater_or_equal(const Tensor& a, const Tensor& b) {
  return at::ge(a, b);
}

Tensor less(const Tensor& a, const Tensor& b) {
  return at::lt(a, b);
}

Tensor less_or_equal(const Tensor& a, const Tensor& b) {
  return at::le(a, b);
}

Tensor bitwise_and(const Tensor& a, const Tensor& b) {
  return at::bitwise_and(a, b);
}

Tensor bitwise_or(const Tensor& a, const Tensor& b) {
  return at::bitwise_or(a, b);
}

Tensor bitwise_xor(const Tensor& a, const Tensor& b) {
  return at::bitwise_xor(a, b);
}

// uint64 lies in int64, whose shift to the right would copy the highest bit.
Tensor shift_right(const Tensor& a, const Tensor& b) {
  const Tensor shifted = at::bitwise_right_shift(a, b);
  if (a.scalar_type() != at::kLong) return shifted;
  const Tensor ones = at::bitwise_left_shift(at::full_like(shifted, -1), 64 - b.clamp_min(1));
  return at::where(b > 0, at::bitwise_and(shifted, at::bitwise_not(ones)), shifted);
}

Kernel bit_shift(const Build& build) {
  const std::string direction = build.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") throw Error("direction: expected LEFT or RIGHT, found " + direction);
  return with_unsigned(build, [left = direction == "LEFT"](const Tensor& a, const Tensor& b) {
    return left ? at::bitwise_left_shift(a, b) : shift_right(a, b);
  });
}

Kernel where(const Build&) {
  return [](Call& call) {
    Tensor condition = call.in(0), x = call.in(1), y = call.in(2);
    to_one_device({&condition, &x, &y});
    call.out(0, at::where(condition, x, y));
  };
}

}  // namespace

void add_logic_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "And", binary<at::logical_and>});
  entries.push_back({"", "BitShift", bit_shift});
  entries.push_back({"", "BitwiseAnd", binary<bitwise_and>});
  entries.push_back({"", "BitwiseOr", binary<bitwise_or>});
  entries.push_back({"", "BitwiseXor", binary<bitwise_xor>});
  entries.push_back({"", "Equal", binary<equal>});
  entries.push_back({"", "Greater", binary<greater>});
  entries.push_back({"", "GreaterOrEqual", binary<greater_or_equal>});
  entries.push_back({"", "Less", binary<less>});
  entries.push_back({"", "LessOrEqual", binary<less_or_equal>});
  entries.push_back({"", "Or", binary<at::logical_or>});
  entries.push_back({"", "Where", where});
  entries.push_back({"", "Xor", binary<at::logical_xor>});
}

}  // namespace coppice::executor
