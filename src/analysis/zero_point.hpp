#pragma once
#include <vector>

#include "coppice/graph/graph.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::analysis {

/// What counts as zero in each constant of a graph: the zero point that the node which reads a quantised weight is
/// given (DequantizeLinear, QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger), else 0.
class ZeroPoints {
 public:
  explicit ZeroPoints(const graph::Graph& graph);
  tensor::ZeroPoint of(graph::ValueId constant) const;

 private:
  const graph::Graph& graph_;
  std::vector<std::int32_t> reader_;  ///< By value: the node that dequantises it, or -1.
};

}  // namespace coppice::analysis
