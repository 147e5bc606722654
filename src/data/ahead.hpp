#pragma once
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "coppice/torch/calibration.hpp"

namespace coppice::data {

/// Fetches batches in threads of its own, in order, and a few of them ahead of the one that is asked for.
class Ahead {
 public:
  using Fetch = std::function<Batch(std::int64_t batch)>;

  /// Fetches `first` to `last` - 1; `fetch` is called from `workers` threads at once.
  Ahead(Fetch fetch, std::int64_t first, std::int64_t last, int workers);
  /// Waits for the batches at hand.
  ~Ahead();
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  /// The next batch; throws what fetching it threw.
  Batch next();

 private:
  struct Fetched {
    Batch batch;
    std::exception_ptr failure;
  };
  void work();
  void close();

  const Fetch fetch_;
  const std::int64_t last_, most_ahead_;
  std::int64_t wanted_, started_;
  bool closing_ = false;
  std::map<std::int64_t, Fetched> done_;
  std::mutex mutex_;  // Guards everything above that is not const.
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
};

}  // namespace coppice::data
