#include "coppice/torch/latency.hpp"

#include <algorithm>
#include <chrono>

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

double time_once(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Latency summarize(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto quantile = [&](double share) {
    return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1) + 0.5)];
  };
  return {quantile(0.5), quantile(0.1), quantile(0.9), static_cast<int>(seconds.size())};
}

std::vector<Latency> measure_latency(const std::vector<std::function<void()>>& work, double seconds) {
  constexpr int warm_ups = 2;
  constexpr std::size_t least = 5;
  for (int i = 0; i < warm_ups; ++i)
    for (const auto& piece : work) piece();
  std::vector<std::vector<double>> times(work.size());
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (!work.empty() && (Clock::now() < end || times.front().size() < least))
    for (std::size_t i = 0; i < work.size(); ++i) times[i].push_back(time_once(work[i]));
  std::vector<Latency> out;
  for (auto& list : times) out.push_back(summarize(std::move(list)));
  return out;
}

void wait_for(const std::vector<at::Tensor>& results) {
  // One element is copied to the host, which waits for everything before it.
  for (const at::Tensor& tensor : results)
    if (tensor.is_cuda() && tensor.numel() > 0) (void)tensor.reshape({-1})[0].to(at::kCPU);
}

}  // namespace coppice
