// Values that come from attributes and shape operands alone.
#include <cmath>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// The forms that become tensors are handled by the driver, which reads the tensor; these remain.
void infer_constant(InferContext& c) {
  if (const Tensor* tensor = c.graph().constant(c.node().output(0)))
    return c.out(0, with_content(tensor->dtype, tensor->shape, content_of(*tensor)));
  if (c.node().has("value_string")) return c.out(0, Fact::of(DType::string, {}));
  if (const Attribute* a = c.node().find("value_strings")) {
    const auto* strings = std::get_if<std::vector<std::string>>(&a->value);
    return c.out(0, Fact::of(DType::string, {strings ? static_cast<std::int64_t>(strings->size()) : unknown}));
  }
}

ContentPtr filled(DType dtype, const Shape& shape, const Tensor* value) {
  const std::int64_t count = dim_product(shape);
  if (!followed(dtype, count)) return nullptr;
  auto one = std::make_shared<Content>();
  if (value) {
    const ContentPtr content = content_of(*value);
    if (!content || size_of(*content) != 1) return nullptr;
    *one = *content;
  } else {
    one->reals = {0.0};
  }
  return pick(*one, std::vector<std::int64_t>(static_cast<std::size_t>(count), 0));
}

void infer_constant_of_shape(InferContext& c) {
  expect_inputs(c, 1);
  const Tensor* value = nullptr;
  if (const Attribute* a = c.node().find("value")) value = std::get_if<Tensor>(&a->value);
  const DType dtype = value ? value->dtype : DType::float32;
  expect_rank(c, 0, 1, 1);
  const auto extents = extent_list(c.in(0));
  if (!extents) return out_type(c, 0, dtype);
  Shape shape;
  for (const auto& extent : *extents) {
    if (extent && *extent < 0) fail("expected a shape, found extent " + std::to_string(*extent));
    shape.push_back(extent.value_or(unknown));
  }
  const ContentPtr content = filled(dtype, shape, value);
  c.out(0, with_content(dtype, std::move(shape), content));
}

void infer_eye_like(InferContext& c) {
  const Fact& in = c.in(0);
  expect_rank(c, 0, 2, 2);
  const DType dtype = dtype_attribute(c, "dtype", in.dtype);
  if (!in.ranked) return out_type(c, 0, dtype);
  if (!in.complete() || !followed(dtype, dim_product(in.shape))) return c.out(0, Fact::of(dtype, in.shape));
  const std::int64_t k = c.node().int_or("k", 0);
  auto content = std::make_shared<Content>();
  for (std::int64_t row = 0; row < in.shape[0]; ++row)
    for (std::int64_t column = 0; column < in.shape[1]; ++column) {
      const bool one = column - row == k;
      if (tensor::is_real(dtype))
        content->reals.push_back(one ? 1 : 0);
      else
        content->ints.push_back(one ? 1 : 0);
    }
  c.out(0, with_content(dtype, in.shape, content));
}

void infer_range(InferContext& c) {
  expect_inputs(c, 3);
  const DType dtype = c.in(0).dtype;
  auto content = std::make_shared<Content>();
  std::int64_t count = unknown;
  if (tensor::is_integer(dtype)) {
    const auto start = int_operand(c, 0), limit = int_operand(c, 1), delta = int_operand(c, 2);
    if (!start || !limit || !delta) return c.out(0, Fact::of(dtype, {unknown}));
    if (*delta == 0) fail("expected a delta other than 0");
    const double steps =
        std::ceil((static_cast<double>(*limit) - static_cast<double>(*start)) / static_cast<double>(*delta));
    if (steps > 9e15) fail("expected a range that fits in memory, found " + std::to_string(steps) + " elements");
    count = steps > 0 ? static_cast<std::int64_t>(steps) : 0;
    if (followed(dtype, count))
      for (std::int64_t i = 0; i < count; ++i) content->ints.push_back(*start + i * *delta);
  } else {
    const auto start = real_operand(c, 0), limit = real_operand(c, 1), delta = real_operand(c, 2);
    if (!start || !limit || !delta) return c.out(0, Fact::of(dtype, {unknown}));
    const double steps = std::ceil((*limit - *start) / *delta);
    if (!(steps < 9e15)) fail("expected a finite range, found delta " + std::to_string(*delta));
    count = steps > 0 ? static_cast<std::int64_t>(steps) : 0;
    if (followed(dtype, count))
      for (std::int64_t i = 0; i < count; ++i)
        content->reals.push_back(round_to(dtype, *start + static_cast<double>(i) * *delta));
  }
  c.out(0, with_content(dtype, {count}, content));
}

}  // namespace

void add_constant_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Constant", infer_constant});
  defs.push_back({"", "ConstantOfShape", infer_constant_of_shape, nullptr, 0b1});
  defs.push_back({"", "EyeLike", infer_eye_like});
  defs.push_back({"", "Range", infer_range, nullptr, 0b111});
}

}  // namespace coppice::graph::ops
