#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/fact.hpp"

/// Shapes of products that contract axes.
namespace coppice::graph::ops {

/// Shape of a MatMul of two operands of known rank (numpy rules: a 1-D operand gets an axis that the result drops).
/// Throws Error when the contracted extents differ or the batch axes don't broadcast.
Shape matmul_shape(Shape a, Shape b);

/// One operand or the result of an Einsum equation.
struct EinsumTerm {
  std::string labels;  ///< Letters, the ellipsis left out.
  bool ellipsis = false;
  std::size_t ellipsis_at = 0;  ///< Number of labels in front of the ellipsis.
};

struct Einsum {
  std::vector<EinsumTerm> operands;
  EinsumTerm result;
};

/// Parses an equation, and derives the result of an implicit one (letters that occur once, in alphabetical order,
/// behind the ellipsis). Throws Error on bad syntax.
Einsum parse_einsum(std::string_view equation);

/// Extents of an equation's letters (-1 where unknown) and of its ellipsis, for operands of known rank.
struct EinsumExtents {
  std::vector<std::int64_t> letters;  ///< By character code, 128 entries.
  std::string used;                   ///< The letters that occur, each once.
  Shape ellipsis;
};
/// Throws Error when the operands contradict the equation or each other.
EinsumExtents einsum_extents(const Einsum& einsum, const std::vector<const Fact*>& operands);

}  // namespace coppice::graph::ops
