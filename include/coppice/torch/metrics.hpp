#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coppice/torch/callable.hpp"
#include "coppice/torch/latency.hpp"

namespace coppice {

/// What a network costs.
struct Metrics {
  std::int64_t parameters = 0, zeros = 0;  ///< Elements, and those equal to zero.
  double macs = 0;                         ///< Multiply-accumulates for the example inputs.
  std::uint64_t dense_bytes = 0;           ///< Of the parameters.
  std::uint64_t effective_bytes = 0;       ///< The same without the zeros; what a format would need that left them out.
  std::optional<std::uint64_t> peak_activation_bytes;  ///< See analysis::peak_activation_bytes.
  std::optional<Latency> latency;                      ///< Of one forward pass in evaluation mode.

  double sparsity() const { return parameters == 0 ? 0 : static_cast<double>(zeros) / static_cast<double>(parameters); }
};

/// Measures a module on example inputs, which also say the device; the module is left as it is. Zero `seconds`: no
/// latency. Throws Error as trace() does.
Metrics measure(const Callable& module, const std::vector<at::Tensor>& example_inputs, double seconds = 1);

/// "The pruned model has 0.63 the compute of the original, 0.18 the parameters."
std::string ratio_line(const Metrics& original, const Metrics& pruned);

}  // namespace coppice
