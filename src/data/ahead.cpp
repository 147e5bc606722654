#include "data/ahead.hpp"

#include <string>
#include <utility>

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include "coppice/base/error.hpp"

namespace coppice::data {
namespace {

// libtorch's OpenMP gives each thread that computes a team of its own. With more threads than cores the teams no longer
// wait for work but go to sleep, and on two cores a training step then took 1.5 times as long: so the threads that
// fetch compute alone. Only OpenMP itself can say so for one thread; libtorch, which brings it, sets all of them.
void compute_alone() {
  at::internal::lazy_init_num_threads();  // would set the number again
  using SetThreads = void (*)(int);
  if (const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(1);
}

}  // namespace

Ahead::Ahead(Fetch fetch, std::int64_t first, std::int64_t last, int workers)
    : fetch_(std::move(fetch)), last_(last), most_ahead_(std::int64_t{2} * workers), wanted_(first), started_(first) {
  try {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::exception& error) {
    close();
    throw Error("data: expected " + std::to_string(workers) + " workers, found " + std::to_string(threads_.size()) +
                " that could be started: " + error.what());
  }
}

Ahead::~Ahead() {
  close();
}

void Ahead::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Ahead::work() {
  compute_alone();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || started_ == last_ || started_ < wanted_ + most_ahead_; });
    if (closing_ || started_ == last_) return;
    const std::int64_t batch = started_++;
    lock.unlock();
    Fetched fetched;
    try {
      fetched.batch = fetch_(batch);
    } catch (...) {
      fetched.failure = std::current_exception();
    }
    lock.lock();
    done_.emplace(batch, std::move(fetched));
    changed_.notify_all();
  }
}

Batch Ahead::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_.contains(wanted_); });
  Fetched fetched = std::move(done_.extract(wanted_).mapped());
  ++wanted_;
  changed_.notify_all();
  if (fetched.failure) std::rethrow_exception(fetched.failure);
  return std::move(fetched.batch);
}

}  // namespace coppice::data
