#include <algorithm>

#include <ATen/ExpandUtils.h>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

using Extents = std::vector<std::int64_t>;

// Operands take the place of attributes in later operator sets.
Extents list(const Call& call, std::size_t operand, const Extents& fixed) {
  return call.has(operand) ? call.ints(operand) : fixed;
}

Kernel reshape(const Build& build) {
  return [zero_is_zero = build.flag("allowzero"), fixed = build.integers("shape")](Call& call) {
    const at::Tensor& x = call.in(0);
    Extents shape = list(call, 1, fixed);
    for (std::size_t k = 0; k < shape.size() && !zero_is_zero; ++k)
      if (shape[k] == 0) shape[k] = x.size(static_cast<std::int64_t>(k));
    // libtorch does not guess an extent beside one of 0.
    if (x.numel() == 0) std::replace(shape.begin(), shape.end(), std::int64_t{-1}, std::int64_t{0});
    call.out(0, x.reshape(shape));
  };
}

Kernel flatten(const Build& build) {
  const std::int64_t axis = build.integer("axis", 1);
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    std::int64_t rows = 1, columns = 1;
    for (std::int64_t k = 0; k < x.dim(); ++k) (k < (axis < 0 ? axis + x.dim() : axis) ? rows : columns) *= x.size(k);
    call.out(0, x.reshape({rows, columns}));
  };
}

Kernel squeeze(const Build& build) {
  return [fixed = build.integers("axes")](Call& call) {
    const at::Tensor& x = call.in(0);
    Extents axes = list(call, 1, fixed);
    if (axes.empty()) return call.out(0, x.squeeze());
    for (std::int64_t& axis : axes) axis = at::maybe_wrap_dim(axis, x.dim());
    std::sort(axes.begin(), axes.end());
    at::Tensor out = x;
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
      if (out.size(*axis) != 1)
        throw Error("axis " + std::to_string(*axis) + ": expected an extent of 1, found " +
                    std::to_string(out.size(*axis)));
      out = out.squeeze(*axis);
    }
    call.out(0, out);
  };
}

Kernel unsqueeze(const Build& build) {
  return [fixed = build.integers("axes")](Call& call) {
    at::Tensor out = call.in(0);
    Extents axes = list(call, 1, fixed);
    // They count in the result.
    const std::int64_t rank = out.dim() + static_cast<std::int64_t>(axes.size());
    for (std::int64_t& axis : axes) axis = at::maybe_wrap_dim(axis, rank);
    std::sort(axes.begin(), axes.end());
    for (const std::int64_t axis : axes) out = out.unsqueeze(axis);
    call.out(0, out);
  };
}

Kernel expand(const Build&) {
  // Both ways: an extent of 1 in the wanted shape leaves the tensor's.
  return [](Call& call) { call.out(0, call.in(0).expand(at::infer_size(call.in(0).sizes(), call.ints(1)))); };
}

Kernel transpose(const Build& build) {
  return [order = build.integers("perm")](Call& call) {
    const at::Tensor& x = call.in(0);
    if (!order.empty()) return call.out(0, x.permute(order));
    Extents reversed;
    for (std::int64_t k = x.dim(); k-- > 0;) reversed.push_back(k);
    call.out(0, x.permute(reversed));
  };
}

Kernel tile(const Build&) {
  return [](Call& call) {
    Extents repeats = call.ints(1);
    if (call.has(2)) {  // the first version: a count and an axis
      const std::int64_t axis = at::maybe_wrap_dim(one_integer(call, 2), call.in(0).dim()),
                         count = one_integer(call, 1);
      repeats.assign(static_cast<std::size_t>(call.in(0).dim()), 1);
      repeats[static_cast<std::size_t>(axis)] = count;
    }
    call.out(0, call.in(0).repeat(repeats));
  };
}

}  // namespace

void add_reshape_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Expand", expand});
  entries.push_back({"", "Flatten", flatten});
  entries.push_back({"", "Reshape", reshape});
  entries.push_back({"", "Squeeze", squeeze});
  entries.push_back({"", "Tile", tile});
  entries.push_back({"", "Transpose", transpose});
  entries.push_back({"", "Unsqueeze", unsqueeze});
}

}  // namespace coppice::executor
