#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "coppice/base/progress.hpp"

namespace coppice::cli {

/// A line on the standard error that shows a phase which takes over a second: its name, a bar when its amount of work
/// is known, the seconds so far and those left, and what a note says. Only on a terminal; otherwise it does nothing.
class Bar : public base::Progress {
 public:
  Bar();
  ~Bar() override;
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  void begin(std::string_view phase, std::uint64_t total) override;
  void advance(std::uint64_t done) override;
  void note(std::string_view words) override;
  void end() override;

 private:
  void watch();
  void draw();
  void clear();

  const bool terminal_;
  bool running_ = false, drawn_ = false, closing_ = false;
  std::string phase_, words_;
  std::uint64_t total_ = 0, done_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;  // Guards everything above.
  std::condition_variable changed_;
  std::thread watcher_;
};

}  // namespace coppice::cli
