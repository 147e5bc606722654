#include "cli/progress.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace coppice::cli {
namespace {
constexpr std::chrono::milliseconds patience{1000}, interval{200};
constexpr std::size_t bar_length = 30;
}  // namespace

Bar::Bar() : terminal_(::isatty(STDERR_FILENO) == 1) {
  if (terminal_) watcher_ = std::thread([this] { watch(); });
}

Bar::~Bar() {
  if (!terminal_) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    clear();
  }
  changed_.notify_all();
  watcher_.join();
}

void Bar::begin(std::string_view phase, std::uint64_t total) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  phase_ = phase;
  total_ = total;
  done_ = 0;
  words_.clear();
  running_ = true;
  start_ = std::chrono::steady_clock::now();
  changed_.notify_all();
}

void Bar::advance(std::uint64_t done) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  done_ = std::min(done, total_);
}

void Bar::note(std::string_view words) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  words_ = words;
}

void Bar::end() {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  running_ = false;
  clear();
}

void Bar::watch() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (!running_) {
      changed_.wait(lock);
      continue;
    }
    if (std::chrono::steady_clock::now() - start_ >= patience) draw();
    changed_.wait_for(lock, interval);
  }
}

void Bar::draw() {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  std::string bar;
  if (total_ > 0) {
    const auto filled = static_cast<std::size_t>(static_cast<double>(done_) / static_cast<double>(total_) *
                                                 static_cast<double>(bar_length));
    bar = " [" + std::string(filled, '#') + std::string(bar_length - filled, '.') + "]";
  }
  std::fprintf(stderr, "\r\033[K%s%s %.0f s", phase_.c_str(), bar.c_str(), seconds);
  if (total_ > 0 && done_ > 0) {
    const double rate = static_cast<double>(done_) / seconds;
    std::fprintf(stderr, ", %.0f s left, %.3g/s", static_cast<double>(total_ - done_) / rate, rate);
  }
  if (!words_.empty()) std::fprintf(stderr, ", %s", words_.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Bar::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace coppice::cli
