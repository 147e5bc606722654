#include "coppice/base/error.hpp"

#include "torch/kernels/heads.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

// Rows of a table (positions, pairs) for each step, or the table as it stands (batch, steps, pairs), for all heads.
Tensor rows_of(const Tensor& table, const Tensor& positions) {
  return (positions.defined() ? at::embedding(table, positions) : table).unsqueeze(1);
}

// (batch, heads, steps, size) or (batch, steps, heads * size).
Tensor rotate(const Tensor& x, std::int64_t heads, const Tensor& cosines, const Tensor& sines, const Rotary& how) {
  if (x.dim() == 4) return turn(x, cosines, sines, how);
  if (heads == 0) heads = x.size(2) / (2 * cosines.size(-1));
  return merge_heads(turn(split_heads(x, heads), cosines, sines, how));
}

// Operands: x, cosines, sines, positions.
Kernel rotary(const Build& build) {
  const Rotary how{build.flag("interleaved"), build.integer("rotary_embedding_dim", 0)};
  return [how, heads = build.integer("num_heads", 0)](Call& call) {
    const Tensor positions = call.has(3) ? call.in(3).to(at::kLong) : Tensor();
    call.out(0, rotate(call.in(0), heads, rows_of(call.in(1), positions), rows_of(call.in(2), positions), how));
  };
}

// Operands: x, positions, cosines, sines. One position is that of the first step.
Kernel runtime_rotary(const Build& build) {
  const Rotary how{build.flag("interleaved"), build.integer("rotary_embedding_dim", 0)};
  return [how, heads = build.integer("num_heads", 0)](Call& call) {
    const Tensor& x = call.in(0);
    Tensor positions = call.in(1).to(at::kLong);
    if (positions.dim() < 2) {
      if (positions.numel() != 1) throw Error("position_ids: expected one number, or (batch, steps)");
      const std::int64_t steps = x.size(x.dim() == 4 ? 2 : 1);
      positions = (positions.reshape({1, 1}) + at::arange(steps, positions.options())).expand({x.size(0), steps});
    }
    call.out(0, rotate(x, heads, rows_of(call.in(2), positions), rows_of(call.in(3), positions), how));
  };
}

}  // namespace

void add_rotary_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "RotaryEmbedding", rotary});
  entries.push_back({"com.microsoft", "RotaryEmbedding", runtime_rotary});
}

}  // namespace coppice::executor
