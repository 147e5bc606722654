#pragma once
#include <string>
#include <vector>

#include "coppice/graph/builder.hpp"
#include "coppice/torch/aten.hpp"

/// One node, run by GraphModule and by ONNX Runtime on the same operands.
namespace coppice::test {

struct RuntimeCase {
  std::string op;
  std::vector<at::Tensor> operands;  ///< An undefined one is absent.
  std::vector<graph::Attribute> attributes = {};
  std::size_t outputs = 1;
  std::vector<std::size_t> absent = {};  ///< Outputs that are not asked for.
  std::int64_t opset = 17;
  std::string domain = {};
};

/// Empty when both give the same outputs, each within `tolerance` of its largest element, none of them all zeros, and
/// the real outputs' sum has finite gradients; else what is wrong. Whole numbers must be equal.
std::string differs_from_runtime(const RuntimeCase& one, double tolerance = 1e-5);

}  // namespace coppice::test
