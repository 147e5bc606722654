// Random values.
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void infer_random(InferContext& c) {
  const auto extents = c.node().ints("shape");
  for (std::int64_t extent : extents)
    if (extent < 0) fail("expected a shape, found extent " + std::to_string(extent));
  c.out(0, Fact::of(dtype_attribute(c, "dtype", DType::float32), {extents.begin(), extents.end()}));
}

void infer_random_like(InferContext& c) {
  const Fact& in = c.in(0);
  c.out(0, {dtype_attribute(c, "dtype", in.dtype), in.ranked, in.shape, nullptr});
}

void infer_multinomial(InferContext& c) {
  expect_rank(c, 0, 2, 2);
  const Fact& in = c.in(0);
  c.out(0, Fact::of(dtype_attribute(c, "dtype", DType::int32),
                    {in.ranked ? in.shape[0] : unknown, c.node().int_or("sample_size", 1)}));
}

}  // namespace

void add_generator_ops(std::vector<OpDef>& defs) {
  for (std::string_view op : {"RandomNormal", "RandomUniform"}) defs.push_back({"", op, infer_random});
  for (std::string_view op : {"RandomNormalLike", "RandomUniformLike", "Bernoulli"})
    defs.push_back({"", op, infer_random_like});
  defs.push_back({"", "Multinomial", infer_multinomial});
}

}  // namespace coppice::graph::ops
