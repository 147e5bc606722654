#include "coppice/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace coppice::base {
namespace {

class Threads : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
  void TearDown() override { set_thread_count(0); }
};

TEST_P(Threads, EveryItemIsVisitedOnce) {
  for (const std::size_t count : {0UL, 1UL, 7UL, 1000UL, 100'003UL}) {
    std::vector<int> visits(count, 0);
    parallel_for(count, 10, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), static_cast<std::ptrdiff_t>(count));
  }
}

TEST_P(Threads, RangesAreNoSmallerThanTheGrain) {
  std::atomic<int> small{0};
  parallel_for(1000, 64, [&](std::size_t begin, std::size_t end) {
    if (end - begin < 64 && end != 1000) ++small;
  });
  EXPECT_EQ(small, 0);
}

TEST_P(Threads, TheFirstExceptionComesBack) {
  const auto work = [] {
    parallel_for(10'000, 10, [](std::size_t begin, std::size_t end) {
      if (begin <= 5000 && 5000 < end) throw std::runtime_error("item 5000");
    });
  };
  EXPECT_THROW(work(), std::runtime_error);
  // The pool goes on working.
  std::atomic<std::size_t> sum{0};
  parallel_for(100, 1, [&](std::size_t begin, std::size_t end) { sum += end - begin; });
  EXPECT_EQ(sum, 100U);
}

INSTANTIATE_TEST_SUITE_P(Parallel, Threads, ::testing::Values(1, 2, 7));

TEST(ParallelFor, FewItemsStayOnTheCallingThread) {
  int calls = 0;  // not atomic: one thread
  parallel_for(10, 10, [&](std::size_t begin, std::size_t end) {
    ++calls;
    EXPECT_EQ(begin, 0U);
    EXPECT_EQ(end, 10U);
  });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadCount, IsSetAndRestored) {
  const int machine = thread_count();
  EXPECT_GE(machine, 1);
  set_thread_count(3);
  EXPECT_EQ(thread_count(), 3);
  set_thread_count(0);
  EXPECT_EQ(thread_count(), machine);
}

}  // namespace
}  // namespace coppice::base
