#pragma once
#include <string>
#include <vector>

#include "coppice/torch/trace.hpp"

namespace coppice::test {

/// How a traced model differs from the module that it was traced from.
struct TraceReport {
  graph::Model model;
  std::vector<std::string> unmapped;
  std::string shapes;    ///< What shape inference contradicts; empty when nothing.
  std::string runtime;   ///< What ONNX Runtime says; empty when it ran, or is not at hand.
  std::string executor;  ///< What GraphModule says; empty when it ran with the module's outputs.
  double rel_err = 0;    ///< ONNX Runtime's outputs against the module's in evaluation mode, the worst.
  double scale = 1;      ///< Smallest largest |element| of the module's outputs.
};

/// Traces the module, infers shapes, and runs the model on the inputs in GraphModule and in ONNX Runtime.
TraceReport check_trace(const Callable& module, const std::vector<at::Tensor>& inputs);

/// The model's outputs in ONNX Runtime against `expected`, into `report`.
void run_in_referee(const graph::Model& model, const std::vector<at::Tensor>& inputs,
                    const std::vector<at::Tensor>& expected, TraceReport& report);

}  // namespace coppice::test

/// The module's trace has no unmapped operator, consistent shapes, and in GraphModule and ONNX Runtime its outputs.
#define EXPECT_TRACES_WITHIN(tolerance, module, ...)                                      \
  do {                                                                                    \
    const auto report = ::coppice::test::check_trace(module, __VA_ARGS__);                \
    for (const std::string& name : report.unmapped) ADD_FAILURE() << "unmapped " << name; \
    EXPECT_EQ(report.shapes, "");                                                         \
    EXPECT_EQ(report.runtime, "");                                                        \
    EXPECT_EQ(report.executor, "");                                                       \
    EXPECT_LE(report.rel_err, tolerance);                                                 \
    EXPECT_GT(report.scale, 0);                                                           \
  } while (false)
