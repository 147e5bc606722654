#include <algorithm>
#include <cmath>

#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

// Sizes are known on the host, and those who ask for them want them there.
Kernel shape(const Build& build) {
  const std::int64_t start = build.integer("start", 0);
  const bool has_end = build.node().has("end");
  return [=, end = build.integer("end", 0)](Call& call) {
    const at::IntArrayRef sizes = call.in(0).sizes();
    const auto rank = static_cast<std::int64_t>(sizes.size());
    const auto clamped = [&](std::int64_t at) { return std::clamp(at < 0 ? at + rank : at, std::int64_t{0}, rank); };
    const std::int64_t from = clamped(start), to = has_end ? clamped(end) : rank;
    const std::vector<std::int64_t> part(sizes.begin() + from, sizes.begin() + std::max(from, to));
    call.out(0, at::tensor(part, at::kLong));
  };
}

Kernel size(const Build&) {
  return [](Call& call) { call.out(0, at::scalar_tensor(call.in(0).numel(), at::kLong)); };
}

Kernel identity(const Build&) {
  return [](Call& call) { call.out(0, call.in(0)); };
}

at::Tensor cast_to(const at::Tensor& x, tensor::DType wanted) {
  return wrap_unsigned(x.to(scalar_type(wanted)), wanted);
}

Kernel cast(const Build& build) {
  const auto wanted = static_cast<tensor::DType>(build.integer("to", 0));
  scalar_type(wanted);  // or an Error now
  return [=](Call& call) { call.out(0, cast_to(call.in(0), wanted)); };
}

Kernel cast_like(const Build& build) {
  const tensor::DType wanted = declared_type(build, build.node().input(1));
  return [=](Call& call) { call.out(0, wrap_unsigned(call.in(0).to(call.in(1).scalar_type()), wanted)); };
}

// The others were taken in as the module was made.
Kernel constant(const Build&) {
  throw Error("expected numbers, found text or a sparse tensor");
}

Kernel constant_of_shape(const Build& build) {
  const graph::Attribute* attribute = build.node().find("value");
  const auto* value = attribute ? std::get_if<tensor::Tensor>(&attribute->value) : nullptr;
  const at::Tensor one = value ? to_torch(*value) : at::zeros({}, at::kFloat);
  if (one.numel() != 1) throw Error("value: expected one element, found " + std::to_string(one.numel()));
  return [one = one.reshape({})](Call& call) {
    // Elements of their own: whoever gets the tensor may write to one.
    call.out(0, one.expand(call.ints(0)).clone(at::MemoryFormat::Contiguous));
  };
}

at::Tensor whole_range(std::int64_t from, std::int64_t to, std::int64_t step) {
  if (step == 0) throw Error("delta: expected a step, found 0");
  if (step > 0 ? from >= to : from <= to) return at::empty({0}, at::kLong);
  return at::arange(from, to, step, at::kLong);
}

Kernel range(const Build&) {
  return [](Call& call) {
    const at::Tensor& start = call.in(0);
    if (is_whole(start)) {
      const at::Tensor out = whole_range(one_integer(call, 0), one_integer(call, 1), one_integer(call, 2));
      return call.out(0, out.to(start.device(), start.scalar_type()));
    }
    const double count = std::ceil((call.number(1) - call.number(0)) / call.number(2));
    if (!std::isfinite(count)) throw Error("delta: expected a step that comes to an end");
    const auto options = start.options();
    const at::Tensor index = at::arange(std::max<std::int64_t>(static_cast<std::int64_t>(count), 0), options);
    call.out(0, start.reshape({}) + index * call.in(2).reshape({}).to(start.device()));
  };
}

}  // namespace

void add_shape_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Cast", cast});
  entries.push_back({"", "CastLike", cast_like});
  entries.push_back({"", "Constant", constant});
  entries.push_back({"", "ConstantOfShape", constant_of_shape});
  entries.push_back({"", "Identity", identity});
  entries.push_back({"", "Range", range});
  entries.push_back({"", "Shape", shape});
  entries.push_back({"", "Size", size});
}

}  // namespace coppice::executor
