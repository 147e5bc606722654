#include <algorithm>

#include "graph/ops/contraction.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/macs.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {

Shape matmul_shape(Shape a, Shape b) {
  if (a.empty() || b.empty()) fail("expected operands of rank at least 1, found a scalar");
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  dim_same(a.back(), b[b.size() - 2], "contracted extent");
  const std::int64_t rows = a[a.size() - 2], columns = b.back();
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  Shape out = broadcast(a, b);
  if (!row) out.push_back(rows);
  if (!column) out.push_back(columns);
  return out;
}

namespace {

void infer_product(InferContext& c, std::size_t a, std::size_t b, DType dtype) {
  expect_inputs(c, std::max(a, b) + 1);
  if (!c.in(a).ranked || !c.in(b).ranked) return out_type(c, 0, dtype);
  c.out(0, Fact::of(dtype, matmul_shape(c.in(a).shape, c.in(b).shape)));
}

void infer_matmul(InferContext& c) {
  infer_product(c, 0, 1, c.in(0).dtype);
}

void infer_matmul_integer(InferContext& c) {
  infer_product(c, 0, 1, DType::int32);
}

void infer_matmul_integer_to_float(InferContext& c) {
  infer_product(c, 0, 1, c.in(2).dtype);
}

void infer_qlinear_matmul(InferContext& c) {
  infer_product(c, 0, 3, c.in(7).dtype);
}

// transBatch moves axis 0 in front of the last one, then trans swaps the last two.
void infer_fused_matmul(InferContext& c) {
  expect_inputs(c, 2);
  const Node& node = c.node();
  const DType dtype = c.in(0).dtype;
  if (!c.in(0).ranked || !c.in(1).ranked) return out_type(c, 0, dtype);
  Shape operands[] = {c.in(0).shape, c.in(1).shape};
  for (std::size_t i = 0; i < 2; ++i) {
    Shape& shape = operands[i];
    if (shape.size() < 2) continue;
    if (node.int_or(i == 0 ? "transBatchA" : "transBatchB", 0) != 0)
      std::rotate(shape.begin(), shape.begin() + 1, shape.end() - 1);
    if (node.int_or(i == 0 ? "transA" : "transB", 0) != 0) std::iter_swap(shape.end() - 1, shape.end() - 2);
  }
  c.out(0, Fact::of(dtype, matmul_shape(std::move(operands[0]), std::move(operands[1]))));
}

// Rows A(M,K), columns B(K,N), addend C that broadcasts to (M,N).
void infer_gemm_of(InferContext& c, std::size_t a, std::size_t b, std::size_t addend, DType dtype) {
  expect_inputs(c, std::max(a, b) + 1);
  expect_rank(c, a, 2, 2);
  expect_rank(c, b, 2, 2);
  const Node& node = c.node();
  const bool flip_a = node.int_or("transA", 0) != 0, flip_b = node.int_or("transB", 0) != 0;
  Shape out{unknown, unknown};
  std::int64_t inner = unknown;
  if (c.in(a).ranked) {
    out[0] = c.in(a).shape[flip_a ? 1 : 0];
    inner = c.in(a).shape[flip_a ? 0 : 1];
  }
  if (c.in(b).ranked) {
    out[1] = c.in(b).shape[flip_b ? 0 : 1];
    dim_same(inner, c.in(b).shape[flip_b ? 1 : 0], "contracted extent");
  }
  const bool broadcasts = c.node().domain != "" || c.opset() >= 7;
  if (broadcasts && c.has_input(addend) && c.in(addend).ranked) {
    const Shape both = broadcast(out, c.in(addend).shape);
    for (std::size_t i = 0; i < both.size(); ++i)
      if (both.size() != 2 || (out[i] >= 0 && both[i] != out[i]))
        fail("addend: expected a shape that broadcasts to " + show(out) + ", found " + show(c.in(addend).shape));
  }
  c.out(0, Fact::of(dtype, std::move(out)));
}

void infer_gemm(InferContext& c) {
  infer_gemm_of(c, 0, 1, 2, c.in(0).dtype);
}

void infer_qgemm(InferContext& c) {
  infer_gemm_of(c, 0, 3, 6, c.has_input(8) ? c.in(8).dtype : DType::float32);
}

// The weight is packed in blocks; K and N stand in attributes.
void infer_matmul_nbits(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& a = c.in(0);
  expect_rank(c, 0, 1, 32);
  if (!a.ranked) return out_type(c, 0, a.dtype);
  Shape out = a.shape;
  dim_same(c.node().int_or("K", unknown), out.back(), "contracted extent");
  out.back() = std::max(unknown, c.node().int_or("N", unknown));
  c.out(0, Fact::of(a.dtype, std::move(out)));
}

double macs_matmul(const Node& node, const FactList& in, const FactList& out) {
  const Fact& a = fact_at(in, 0);
  std::ptrdiff_t inner = -1;
  if (a.rank() > 1 && node.int_or("transA", 0) != 0) inner = node.int_or("transBatchA", 0) != 0 ? 0 : -2;
  return volume(fact_at(out, 0)) * extent_at(a, inner);
}

}  // namespace

void add_matmul_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Gemm", infer_gemm, macs_matmul});
  defs.push_back({"", "MatMul", infer_matmul, macs_matmul});
  defs.push_back({"", "MatMulInteger", infer_matmul_integer, macs_matmul});
  defs.push_back({"", "QLinearMatMul", infer_qlinear_matmul, macs_matmul});
  defs.push_back({"com.microsoft", "DynamicQuantizeMatMul", infer_matmul, macs_matmul});
  defs.push_back({"com.microsoft", "FusedGemm", infer_gemm, macs_matmul});
  defs.push_back({"com.microsoft", "FusedMatMul", infer_fused_matmul, macs_matmul});
  defs.push_back({"com.microsoft", "MatMulIntegerToFloat", infer_matmul_integer_to_float, macs_matmul});
  defs.push_back({"com.microsoft", "MatMulNBits", infer_matmul_nbits, macs_matmul});
  defs.push_back({"com.microsoft", "QGemm", infer_qgemm, macs_matmul});
  defs.push_back({"com.microsoft", "TransposeMatMul", infer_fused_matmul, macs_matmul});
}

}  // namespace coppice::graph::ops
