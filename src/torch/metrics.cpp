#include "coppice/torch/metrics.hpp"

#include <cstdio>
#include <set>

#include "coppice/analysis/activations.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/torch/trace.hpp"

#include "torch/trace/undisturbed.hpp"

namespace coppice {

Metrics measure(const Callable& module, const std::vector<at::Tensor>& example_inputs, double seconds) {
  Metrics out;
  std::set<const void*> seen;  // what is shared counts once
  for (const at::Tensor& parameter : module.module().parameters()) {
    if (!seen.insert(parameter.unsafeGetTensorImpl()).second) continue;
    out.parameters += parameter.numel();
    const std::int64_t nonzero = at::count_nonzero(parameter.detach()).item<std::int64_t>();
    out.zeros += parameter.numel() - nonzero;
    out.dense_bytes += parameter.nbytes();
    out.effective_bytes += static_cast<std::uint64_t>(nonzero) * parameter.element_size();
  }
  const pruning::Prepared prepared = pruning::prepare(trace(module, example_inputs), {.untie = false});
  out.macs = count(prepared).macs;
  out.peak_activation_bytes = analysis::peak_activation_bytes(prepared);
  if (seconds > 0) {
    const tracing::Undisturbed undisturbed(module.module(), true);
    out.latency = measure_latency({[&] { wait_for(module(example_inputs)); }}, seconds).front();
  }
  return out;
}

std::string ratio_line(const Metrics& original, const Metrics& pruned) {
  char out[160];
  std::snprintf(out, sizeof out, "The pruned model has %.2f the compute of the original, %.2f the parameters.",
                original.macs > 0 ? pruned.macs / original.macs : 0.0,
                original.parameters > 0
                    ? static_cast<double>(pruned.parameters) / static_cast<double>(original.parameters)
                    : 0.0);
  return out;
}

}  // namespace coppice
