#include <cmath>
#include <tuple>

#include "coppice/base/error.hpp"
#include "coppice/torch/layer_sparsity.hpp"

#include "torch/messages.hpp"
#include "torch/sparse/layer_goal.hpp"

namespace coppice {
namespace sparse {

void check_goal(const SparsityGoal& goal, std::int64_t inputs) {
  if (goal.of == 0) {
    if (!(goal.share >= 0 && goal.share < 1))
      throw Error("sparsity: expected a share from 0 to below 1, found " + std::to_string(goal.share));
    return;
  }
  const std::string found = std::to_string(goal.keep) + ":" + std::to_string(goal.of);
  if (!(0 < goal.keep && goal.keep < goal.of)) throw Error("pattern: expected N:M with 0 < N < M, found " + found);
  if (inputs % goal.of != 0)
    throw Error("pattern " + found + ": expected a number of inputs that " + std::to_string(goal.of) +
                " divides, found " + std::to_string(inputs));
}

std::int64_t drop_count(double share, std::int64_t weights) {
  return static_cast<std::int64_t>(std::floor(share * static_cast<double>(weights) + 1e-9));
}

at::Tensor all_but_lowest(const at::Tensor& scores, std::int64_t drop) {
  const at::Tensor order = std::get<1>(scores.sort(/*stable=*/true, -1, /*descending=*/false));
  at::Tensor keep = at::ones(scores.sizes(), scores.options().dtype(at::kBool));
  return keep.scatter_(-1, order.narrow(-1, 0, drop), false);
}

}  // namespace sparse

at::Tensor wanda_scores(const at::Tensor& weight, const at::Tensor& norms) {
  if (weight.dim() != 2 || norms.dim() != 1 || weight.size(1) != norms.size(0))
    throw Error("wanda: expected a norm for each input of a matrix, found " + shape_text(norms.sizes()) + " for " +
                shape_text(weight.sizes()));
  return weight.detach().to(at::kDouble).abs() * norms.to(at::kDouble);
}

at::Tensor keep_by_output(const at::Tensor& scores, const SparsityGoal& goal) {
  const std::int64_t outputs = scores.size(0), inputs = scores.size(1);
  sparse::check_goal(goal, inputs);
  if (goal.of == 0) return sparse::all_but_lowest(scores, sparse::drop_count(goal.share, inputs));
  return sparse::all_but_lowest(scores.reshape({outputs, inputs / goal.of, goal.of}), goal.of - goal.keep)
      .reshape({outputs, inputs});
}

}  // namespace coppice
