#pragma once
#include <string>

#include "coppice/pruning/plan.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice {

/// What a plan leaves of a tensor of this name: the tensor itself where it cuts nothing. Throws Error when the plan is
/// for another length.
at::Tensor planned_cut(const pruning::Plan& plan, const std::string& name, at::Tensor tensor);

}  // namespace coppice
