#pragma once
#include <utility>

#include "torch/executor/kernel.hpp"
#include "torch/kernels/operands.hpp"

/// Operators of two operands that broadcast.
namespace coppice::executor {

using BinaryFunction = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

/// How operator sets before 7 broadcast: the second operand's axes lie at those of the first that begin with `axis`.
struct OldBroadcast {
  explicit OldBroadcast(const Build& build)
      : wanted(build.opset() < 7 && build.flag("broadcast") && build.node().has("axis")),
        axis(build.integer("axis", 0)) {}
  void align(const at::Tensor& a, at::Tensor& b) const {
    if (!wanted) return;
    std::vector<std::int64_t> shape = b.sizes().vec();
    const std::int64_t rank = (axis < 0 ? axis + a.dim() : axis) + b.dim();
    for (std::int64_t k = rank; k < a.dim(); ++k) shape.push_back(1);
    b = b.reshape(shape);
  }
  bool wanted;
  std::int64_t axis;
};

/// Both operands on one device, in shapes that broadcast.
inline std::pair<at::Tensor, at::Tensor> two_operands(const Call& call, const OldBroadcast& old) {
  std::pair<at::Tensor, at::Tensor> out{call.in(0), call.in(1)};
  to_one_device({&out.first, &out.second});
  old.align(out.first, out.second);
  return out;
}

template <BinaryFunction kFunction>
Kernel binary(const Build& build) {
  return [old = OldBroadcast(build)](Call& call) {
    const auto [a, b] = two_operands(call, old);
    call.out(0, kFunction(a, b));
  };
}

/// With the result in the range of the operands' declared type.
template <class Function>
Kernel with_unsigned(const Build& build, Function function) {
  return [old = OldBroadcast(build), declared = declared_type(build, build.node().input(0)), function](Call& call) {
    const auto [a, b] = two_operands(call, old);
    call.out(0, wrap_unsigned(function(a, b), declared));
  };
}

}  // namespace coppice::executor
