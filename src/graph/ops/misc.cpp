#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Matrices on the last two axes, one number for each.
void infer_det(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 2, 32);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  dim_same(x.shape[x.rank() - 2], x.shape[x.rank() - 1], "columns of the matrix");
  c.out(0, Fact::of(x.dtype, Shape(x.shape.begin(), x.shape.end() - 2)));
}

// Keeps what the condition selects, along an axis or of all elements.
void infer_compress(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 1, 1, 1);
  const Fact& x = c.in(0);
  std::int64_t kept = unknown;
  if (auto condition = c.in(1).int_values())
    kept = std::count_if(condition->begin(), condition->end(), [](std::int64_t flag) { return flag != 0; });
  if (!c.node().has("axis")) return c.out(0, Fact::of(x.dtype, {kept}));
  if (!x.ranked) return out_type(c, 0, x.dtype);
  Shape out = x.shape;
  out[axis_of(c.node().int_or("axis", 0), out.size())] = kept;
  c.out(0, Fact::of(x.dtype, std::move(out)));
}

// Height and width stand in the file that is decoded.
void infer_image_decoder(InferContext& c) {
  const bool gray = c.node().string_or("pixel_format", "RGB") == "Grayscale";
  c.out(0, Fact::of(DType::uint8, {unknown, unknown, gray ? 1 : 3}));
}

}  // namespace

void add_misc_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Compress", infer_compress, nullptr, 1u << 1});
  defs.push_back({"", "Det", infer_det});
  defs.push_back({"", "ImageDecoder", infer_image_decoder});
}

}  // namespace coppice::graph::ops
