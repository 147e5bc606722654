#pragma once
#include <cstdint>
#include <vector>

#include "coppice/graph/graph.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::graph {

/// How the integers of a constant stand for real numbers: (q - zero) * scale.
struct Quantisation {
  tensor::ZeroPoint zero;
  std::vector<double> scales;  ///< Empty: 1; one: for the whole tensor; else one an index of `axis`.
  std::size_t axis = 0;
};

/// As the first node that dequantises the constant reads it, itself or transposed; nothing for a constant of real
/// numbers, or where scale and zero point are not constant vectors. `consumers`: those of `graph`, as
/// Graph::consumers() gives them.
Quantisation quantisation(const Graph& graph, const std::vector<std::vector<std::int32_t>>& consumers,
                          ValueId constant);

}  // namespace coppice::graph
