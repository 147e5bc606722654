#include "coppice/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace coppice::base {
namespace {
std::atomic<int> requested_threads{0};
}  // namespace

int thread_count() {
  const int requested = requested_threads.load(std::memory_order_relaxed);
  if (requested > 0) return requested;
  static const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));  // asks the system
  return cores;
}

void set_thread_count(int threads) {
  requested_threads.store(std::max(0, threads), std::memory_order_relaxed);
}

// Threads start per call: a call is worth it from about 100 us of work on, where starting costs a tenth of that, and
// a library without resident threads survives fork() and unloading.
void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  grain = std::max<std::size_t>(1, grain);
  const std::size_t pieces = (count + grain - 1) / grain;
  const std::size_t workers = std::min<std::size_t>(pieces, static_cast<std::size_t>(thread_count()));
  if (workers <= 1) {
    body(0, count);
    return;
  }
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  auto work = [&] {
    try {
      for (;;) {
        const std::size_t piece = next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= pieces) return;
        body(piece * grain, std::min(count, (piece + 1) * grain));
      }
    } catch (...) {
      std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next.store(pieces, std::memory_order_relaxed);
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(workers - 1);
    for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace coppice::base
