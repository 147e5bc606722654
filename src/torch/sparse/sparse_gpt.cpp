#include <algorithm>
#include <tuple>

#include <ATen/ops/cholesky_inverse.h>
#include <ATen/ops/linalg_cholesky_ex.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/layer_sparsity.hpp"

#include "torch/messages.hpp"
#include "torch/sparse/layer_goal.hpp"

namespace coppice {
namespace {

// The upper Cholesky factor of the inverse; undefined where there is none.
at::Tensor inverse_factor(const at::Tensor& hessian) {
  const auto [lower, failed] = at::linalg_cholesky_ex(hessian);
  if (failed.item<int>() != 0) return {};
  const auto [upper, failed_again] = at::linalg_cholesky_ex(at::cholesky_inverse(lower), /*upper=*/true);
  return failed_again.item<int>() != 0 ? at::Tensor() : upper;
}

struct Factor {
  at::Tensor upper;
  double damping;
};

Factor factorise(const at::Tensor& hessian, double damping) {
  const at::Tensor mean = hessian.diagonal().mean();
  while (true) {
    at::Tensor damped = hessian.clone();
    damped.diagonal().add_(mean * damping);
    if (at::Tensor upper = inverse_factor(damped); upper.defined()) return {std::move(upper), damping};
    if (damping >= 1)
      throw Error("sparse_gpt: expected a Hessian that is positive definite with damping, found one that is not");
    damping = std::clamp(damping * 10, 1e-6, 1.0);
  }
}

void check(const at::Tensor& weight, const at::Tensor& hessian, const SparsityGoal& goal,
           const SparseGptOptions& options) {
  if (weight.dim() != 2 || hessian.dim() != 2 || hessian.size(0) != weight.size(1) || hessian.size(1) != weight.size(1))
    throw Error("sparse_gpt: expected the Hessian of the inputs of a matrix, found " + shape_text(hessian.sizes()) +
                " for " + shape_text(weight.sizes()));
  sparse::check_goal(goal, weight.size(1));
  if (options.block < 1)
    throw Error("sparse_gpt: expected blocks of 1 column or more, found " + std::to_string(options.block));
  if (!(options.damping >= 0 && options.damping <= 1))
    throw Error("sparse_gpt: expected damping from 0 to 1, found " + std::to_string(options.damping));
}

}  // namespace

SparseGptResult sparse_gpt(const at::Tensor& weight, const at::Tensor& hessian, const SparsityGoal& goal,
                           const SparseGptOptions& options) {
  check(weight, hessian, goal, options);
  const at::NoGradGuard no_gradients;
  at::Tensor w = weight.detach().to(at::kDouble).clone();
  at::Tensor h = hessian.to(w.options()).clone();
  const at::Tensor dead = h.diagonal().eq(0);
  h.diagonal().masked_fill_(dead, 1);
  w.masked_fill_(dead, 0);
  const auto [upper, damping] = factorise(h, options.damping);
  at::Tensor keep = at::ones(w.sizes(), w.options().dtype(at::kBool));
  const std::int64_t inputs = w.size(1);
  const std::int64_t block = goal.of > 0 ? (options.block + goal.of - 1) / goal.of * goal.of : options.block;
  for (std::int64_t begin = 0; begin < inputs; begin += block) {
    const std::int64_t width = std::min(block, inputs - begin), rest = inputs - begin - width;
    at::Tensor part = w.narrow(1, begin, width), kept = keep.narrow(1, begin, width);
    const at::Tensor factor = upper.narrow(0, begin, width).narrow(1, begin, width);
    const at::Tensor diagonal = factor.diagonal();
    at::Tensor errors = at::empty({w.size(0), width}, w.options());
    if (goal.of == 0) {
      const std::int64_t drop = sparse::drop_count(goal.share, part.numel());
      kept.copy_(sparse::all_but_lowest((part / diagonal).square().flatten(), drop).view_as(kept));
    }
    for (std::int64_t j = 0; j < width; ++j) {
      if (goal.of > 0 && j % goal.of == 0)
        kept.narrow(1, j, goal.of)
            .copy_(sparse::all_but_lowest((part.narrow(1, j, goal.of) / diagonal.narrow(0, j, goal.of)).square(),
                                          goal.of - goal.keep));
      const at::Tensor column = part.select(1, j).clone();
      const at::Tensor stays = column.masked_fill(kept.select(1, j).logical_not(), 0);
      const at::Tensor error = (column - stays) / diagonal[j];
      part.narrow(1, j, width - j).sub_(error.unsqueeze(1) * factor[j].narrow(0, j, width - j));
      part.select(1, j).copy_(stays);
      errors.select(1, j).copy_(error);
    }
    if (rest > 0)
      w.narrow(1, begin + width, rest)
          .sub_(errors.matmul(upper.narrow(0, begin, width).narrow(1, begin + width, rest)));
  }
  return {w, keep, damping};
}

double output_energy(const at::Tensor& matrix, const at::Tensor& hessian) {
  const at::Tensor wide = matrix.detach().to(at::kDouble);
  // Rounding may take what is nearly zero below it.
  return std::max((wide.matmul(hessian) * wide).sum().item<double>(), 0.0);
}

double reconstruction_error(const at::Tensor& weight, const at::Tensor& changed, const at::Tensor& hessian) {
  const double whole = output_energy(weight, hessian);
  return whole > 0 ? output_energy(changed - weight, hessian) / whole : 0;
}

}  // namespace coppice
