#pragma once
#include "coppice/torch/layer_sparsity.hpp"

namespace coppice::sparse {

/// Throws Error unless the goal is in range and, with runs, these divide `inputs`.
void check_goal(const SparsityGoal& goal, std::int64_t inputs);
/// How many of `weights` a share in [0, 1) drops: floor, but for what rounding takes from whole numbers.
std::int64_t drop_count(double share, std::int64_t weights);
/// Along the last axis: true but for the `drop` lowest; of equal ones the first go.
at::Tensor all_but_lowest(const at::Tensor& scores, std::int64_t drop);

}  // namespace coppice::sparse
