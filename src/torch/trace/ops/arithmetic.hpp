#pragma once
#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {

/// Argument i of an operator of two operands, converted to `type`. What one number fills is a scalar where the `other`
/// operand gives the result its shape.
ValueId operand(Site& site, std::size_t i, std::size_t other, at::ScalarType type);

}  // namespace coppice::tracing
