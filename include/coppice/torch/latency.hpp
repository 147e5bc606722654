#pragma once
#include <functional>
#include <vector>

#include "coppice/torch/aten.hpp"

namespace coppice {

/// Seconds that runs of something took.
struct Latency {
  double median = 0;
  double low = 0, high = 0;  ///< A tenth of the runs took less than `low`, a tenth more than `high`.
  int runs = 0;
};

/// Of times in seconds, at least one.
Latency summarize(std::vector<double> seconds);

/// Runs each piece of work in turns, twice unmeasured and then for `seconds` in all, at least five times: whatever
/// slows the machine meanwhile slows all of them alike. Work on a CUDA device must have ended when the function
/// returns: see wait_for().
std::vector<Latency> measure_latency(const std::vector<std::function<void()>>& work, double seconds);

/// Returns when the work on the tensors' device is done.
void wait_for(const std::vector<at::Tensor>& results);

}  // namespace coppice
