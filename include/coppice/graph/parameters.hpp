#pragma once
#include <cstdint>
#include <vector>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// What a constant is to the network.
enum class Role : std::uint8_t {
  none,    ///< Not a constant, or shape arithmetic, an index, a scalar.
  weight,  ///< Multiplies activations in a convolution, matrix product, recurrent node or lookup.
  scale,   ///< Multiplies channels: batch norm's and layer norm's gamma, any elementwise factor.
  bias,    ///< Is added.
  buffer,  ///< Data that is not trained: running statistics, quantisation scales and zero points.
};

/// Trainable: counted as a parameter, as the framework does.
inline bool is_parameter(Role role) {
  return role == Role::weight || role == Role::scale || role == Role::bias;
}

/// Role of every value, by its uses (through Cast, Transpose, Reshape, DequantizeLinear and the like of constants). A
/// constant with several uses has the first of weight, scale, bias, buffer that any of them gives it. Operators outside
/// the registry count too: there a table is a weight and a vector a bias. Additive masks and rotary tables are buffers.
std::vector<Role> constant_roles(const Graph& graph);

/// The operand of `node` that lists output channels is on this axis of the weight: Conv 0, ConvTranspose 1, Gemm by
/// transB, MatMul last, recurrent 1, a lookup's last ... -1 when operand i is no such weight.
int output_axis(const Node& node, std::size_t operand, std::size_t rank);

}  // namespace coppice::graph
