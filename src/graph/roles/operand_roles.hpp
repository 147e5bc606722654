#pragma once
#include <cstddef>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// What an operand of an operator is to the network when it is constant.
enum class OperandRole : char {
  none = '.',
  weight = 'w',
  scale = 's',
  bias = 'b',
  buffer = 'q',
  passed = 'p',  ///< What the node's result is.
};

/// The role of operand i. Of operators outside the registry, tables of several axes are taken for weights and vectors
/// for biases: a custom layer's parameters count as the framework counts them.
OperandRole operand_role(const Node& node, std::size_t i, std::size_t rank);

/// Integers that reach such an operator stand for real numbers.
bool reads_quantised(const Node& node);

}  // namespace coppice::graph
