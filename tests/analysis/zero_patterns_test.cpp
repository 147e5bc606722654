#include "coppice/analysis/zero_patterns.hpp"

#include <gtest/gtest.h>

#include "coppice/tensor/tensor.hpp"

namespace coppice::analysis {
namespace {

using Patterns = std::vector<ZeroPattern>;

/// Of a tensor of 64 columns in which element i is zero where `zero` says so.
template <class Zero>
Patterns found(std::int64_t rows, const Zero& zero) {
  std::vector<double> values(static_cast<std::size_t>(rows) * 64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = zero(i) ? 0 : 1;
  const auto tensor = tensor::from_doubles(tensor::DType::float16, {rows, 64}, values);
  const tensor::ZeroStructure zeros = zero_structure(tensor);
  EXPECT_EQ(zero_groups(tensor, 1), zeros.most);
  return zero_patterns(zeros.most, zeros.zeros, tensor.elements());
}

TEST(ZeroPatterns, AreFound) {
  EXPECT_EQ(found(8, [](std::size_t i) { return i % 4 == 1 || i % 4 == i / 4 % 2 * 2; }), (Patterns{{2, 4}}));
  EXPECT_EQ(found(8, [](std::size_t i) { return i % 2 == i / 2 % 2; }), (Patterns{{1, 2}}));
  EXPECT_EQ(found(8, [](std::size_t i) { return i % 4 == 3; }), (Patterns{{3, 4}}));
  // Half of every eight, but groups of four that are full.
  EXPECT_EQ(found(8, [](std::size_t i) { return i % 8 < 4; }), (Patterns{{4, 8}}));
  // Three of four everywhere, and four of eight besides.
  EXPECT_EQ(found(16, [](std::size_t i) { return i % 8 < 3 || i % 8 == 7; }), (Patterns{{3, 4}, {4, 8}}));
}

TEST(ZeroPatterns, AreNotMadeUp) {
  EXPECT_EQ(found(8, [](std::size_t) { return false; }), Patterns{});
  EXPECT_EQ(found(8, [](std::size_t) { return true; }), Patterns{});
  // One group of 2:4 among full ones, and one full group among 2:4.
  EXPECT_EQ(found(8, [](std::size_t i) { return i < 2; }), Patterns{});
  EXPECT_EQ(found(8, [](std::size_t i) { return i % 4 < 2 && i >= 32; }), Patterns{});
  // Nine in ten at random: no group of 32 is full, which is what chance makes of so many zeros.
  std::uint64_t state = 1;
  EXPECT_EQ(found(512, [&](std::size_t) { return ((state = state * 6364136223846793005u + 1) >> 40) % 10 != 0; }),
            Patterns{});
  // Too few groups to tell: 15 of 2:4, of which random halves would break 4.7.
  EXPECT_EQ(zero_patterns({2, 2, 4, {}, {}}, 30, 60), Patterns{});
  EXPECT_EQ(zero_patterns({2, 2, 4, {}, {}}, 32, 64), (Patterns{{2, 4}}));
  EXPECT_EQ(zero_patterns({}, 0, 0), Patterns{});
}

}  // namespace
}  // namespace coppice::analysis
