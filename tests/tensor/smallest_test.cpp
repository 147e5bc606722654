#include "coppice/tensor/smallest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"
#include "tensor/kth_key.hpp"

namespace coppice::tensor {
namespace {

const DType kReals[] = {DType::float32, DType::float16, DType::bfloat16, DType::float64};

// The plain way: all elements in one list, sorted stably.
std::vector<Mask> sorted_masks(const std::vector<Tensor>& tensors, std::int64_t count) {
  struct Element {
    double magnitude;
    std::size_t list;
    std::int64_t index;
  };
  std::vector<Element> all;
  std::vector<Mask> out;
  for (std::size_t list = 0; list < tensors.size(); ++list) {
    out.push_back(Mask::all(tensors[list].elements()));
    for (std::int64_t i = 0; i < tensors[list].elements(); ++i)
      all.push_back({std::fabs(element_as_double(tensors[list], i)), list, i});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Element& a, const Element& b) { return a.magnitude < b.magnitude; });
  for (std::int64_t i = 0; i < count; ++i) {
    const Element& element = all[static_cast<std::size_t>(i)];
    out[element.list].drop(element.index);
  }
  return out;
}

std::vector<Weights> named(const std::vector<Tensor>& tensors) {
  std::vector<Weights> out;
  for (std::size_t i = 0; i < tensors.size(); ++i) out.push_back({"w" + std::to_string(i), tensors[i]});
  return out;
}

// Zeroing by the definition of a mask, one element at a time.
bool zeroed_by(const Tensor& before, const Tensor& after, const Mask& mask) {
  const auto width = static_cast<std::size_t>(bit_width(before.dtype)) / 8;
  const std::byte zeros[8] = {};
  for (std::int64_t i = 0; i < before.elements(); ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * width;
    const std::byte* wanted = mask.stays(i) ? before.bytes.data() + at : zeros;
    if (std::memcmp(after.bytes.data() + at, wanted, width) != 0) return false;
  }
  return after.shape == before.shape && after.dtype == before.dtype;
}

void expect_as_sorted(const std::vector<Tensor>& tensors, std::int64_t count) {
  const std::vector<Mask> expected = sorted_masks(tensors, count);
  for (const int threads : {1, 2, 7}) {
    const Threads scope(threads);
    const Smallest smallest = Smallest::of(named(tensors), count);
    std::vector<Buffer> buffers;
    std::vector<std::span<std::byte>> rooms;
    for (const Tensor& tensor : tensors) rooms.push_back(buffers.emplace_back(tensor.bytes.size()).span());
    smallest.zero(rooms);
    for (std::size_t list = 0; list < tensors.size(); ++list) {
      const Tensor all{tensors[list].dtype, tensors[list].shape, std::move(buffers[list]).freeze(), nullptr};
      ASSERT_TRUE(zeroed_by(tensors[list], all, expected[list])) << "list " << list;
      ASSERT_EQ(smallest.mask(list), expected[list]) << "list " << list << ", count " << count;
      ASSERT_EQ(smallest.chosen(list), expected[list].dropped());
      ASSERT_TRUE(zeroed_by(tensors[list], smallest.zeroed(list), expected[list])) << "list " << list;
      ASSERT_TRUE(zeroed_by(tensors[list], apply_mask(expected[list], tensors[list]), expected[list]));
    }
  }
}

void expect_as_sorted(const std::vector<Tensor>& tensors) {
  std::int64_t total = 0;
  for (const Tensor& tensor : tensors) total += tensor.elements();
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, total / 10, total / 2, total * 99 / 100, total})
    expect_as_sorted(tensors, std::min(count, total));
}

TEST(Smallest, HandComputed) {
  const std::vector<float> a{3, -1, 0, 2}, b{-2, 1, -0.0f, 5};
  const std::vector<Tensor> tensors{Tensor::of<float>(DType::float32, {2, 2}, a),
                                    Tensor::of<float>(DType::float32, {4}, b)};
  const Smallest smallest = Smallest::of(named(tensors), 5);
  // 0 and -0, both ones, and the two of the first tensor; the second's equal two stays.
  EXPECT_EQ(smallest.mask(0).words[0], 0b0001u);
  EXPECT_EQ(smallest.mask(1).words[0], 0b1001u);
  EXPECT_EQ(smallest.largest(), 2.0);
  EXPECT_EQ(smallest.chosen(0), 3);
  EXPECT_EQ(count_zeros(smallest.zeroed(1)), 2);
}

TEST(Smallest, EqualsASortOnRandomDataOfEveryType) {
  for (const DType type : kReals) {
    std::vector<Tensor> tensors{random_tensor(type, {251, 33}, 1), random_tensor(type, {1}, 2),
                                random_tensor(type, {0, 5}, 3), shifted(random_tensor(type, {411, 401}, 4), 1)};
    expect_as_sorted(tensors);
  }
}

TEST(Smallest, EqualsASortOnFewAndManyTies) {
  for (const DType type : kReals) {
    std::vector<double> few(200003), constant(140001, -0.25);
    std::mt19937 random(5);
    for (double& value : few) value = static_cast<double>(random() % 5) - 2;
    expect_as_sorted({from_doubles(type, {200003}, few), from_doubles(type, {140001}, constant)});
  }
}

TEST(Smallest, EqualsASortOnDenormalsHugeOnesZerosAndInfinities) {
  for (const DType type : kReals) {
    Tensor tensor = random_tensor(type, {90017}, 6);
    Buffer buffer(tensor.bytes.size());
    std::mt19937_64 random(7);
    const int width = bit_width(type) / 8;
    for (std::size_t at = 0; at < buffer.span().size(); at += static_cast<std::size_t>(width)) {
      std::uint64_t bits = random();  // all exponents alike
      std::memcpy(buffer.span().data() + at, &bits, static_cast<std::size_t>(width));
    }
    tensor.bytes = std::move(buffer).freeze();
    std::vector<double> values;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      const double value = element_as_double(tensor, i);
      values.push_back(std::isnan(value) ? (i % 2 == 0 ? -0.0 : -std::numeric_limits<double>::infinity()) : value);
    }
    expect_as_sorted({from_doubles(type, {90017}, values)});
  }
}

TEST(Smallest, ComparesTypesByTheirValues) {
  const std::vector<double> values{0.1, 1, 2, -0.5};  // 0.1 differs in every type
  std::vector<Tensor> tensors;
  for (const DType type : {DType::float16, DType::float64, DType::bfloat16, DType::float32})
    tensors.push_back(from_doubles(type, {4}, values));
  for (std::int64_t count = 0; count <= 16; ++count) expect_as_sorted(tensors, count);
  expect_as_sorted({random_tensor(DType::float16, {70001}, 1), random_tensor(DType::float32, {50, 1003}, 2)});
}

TEST(Smallest, SortedDataAndOneLargeBlockAreNoTrap) {
  std::vector<double> ramp(300000), step(400000);
  std::iota(ramp.begin(), ramp.end(), 1.0);
  for (std::size_t i = 0; i < step.size(); ++i) step[i] = i < 300000 ? 1.0 : 2.0 + static_cast<double>(i);
  expect_as_sorted({from_doubles(DType::float32, {300000}, ramp), from_doubles(DType::float32, {400000}, step)});
}

// Whoever knows the places of the sample can make them all alike, and all else another way.
TEST(Smallest, IsExactWhereTheSampleIsDeceived) {
  constexpr std::int64_t size = 20000, places = 256, neighbours = 8;
  std::vector<double> values(size);
  for (std::int64_t i = 0; i < size; ++i)
    values[static_cast<std::size_t>(i)] = 2 + static_cast<double>(i * 7919 % size);
  std::uint64_t state = 0x9e3779b97f4a7c15u;
  for (std::int64_t place = 0; place < places; ++place) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double where =
        (static_cast<double>(place) + std::ldexp(static_cast<double>(state >> 11), -53)) / static_cast<double>(places);
    const auto first = static_cast<std::int64_t>(where * static_cast<double>(size));
    for (std::int64_t i = first; i < std::min(first + neighbours, size); ++i)
      values[static_cast<std::size_t>(i)] = 0.001;
  }
  for (const DType type : kReals) expect_as_sorted({from_doubles(type, {size}, values)});
  // As scores, of which none is small.
  const std::vector<double> moved = [&] {
    std::vector<double> out = values;
    for (double& value : out) value -= 5000;
    return out;
  }();
  const Scores scores{"s", size, [&](std::int64_t first, std::span<double> out) {
                        std::copy_n(moved.begin() + first, out.size(), out.begin());
                      }};
  std::vector<double> order = moved;
  std::sort(order.begin(), order.end());
  for (const std::int64_t count : {size / 5, size / 2})
    EXPECT_EQ(Smallest::of({scores}, count).largest(), order[static_cast<std::size_t>(count) - 1]);
}

TEST(Smallest, TheSampleNeverDecides) {
  const Tensor tensor = random_tensor(DType::float32, {400000}, 8);
  const std::byte* const data = tensor.bytes.data();
  const std::vector<KeyList> lists{
      {tensor.elements(), [data](std::int64_t first, std::size_t, std::byte*) { return data + first * 4; }, {}}};
  const RefuseKey refuse = [](std::size_t, std::int64_t) { throw Error("NaN"); };
  for (const std::int64_t count : {std::int64_t{1}, std::int64_t{123456}, std::int64_t{399999}}) {
    const KeyCut usual = find_cut(lists, {4, true, 0x7f800000}, count, refuse);
    const KeyCut narrow = find_cut(lists, {4, true, 0x7f800000}, count, refuse, 1e-6);  // misses again and again
    EXPECT_EQ(usual.key, narrow.key);
    EXPECT_EQ(usual.index, narrow.index);
    EXPECT_EQ(usual.chosen, narrow.chosen);
  }
}

TEST(Smallest, WorksInPlaceAndRefusesOtherRoom) {
  const Tensor tensor = random_tensor(DType::float16, {300, 1001}, 9);
  Buffer copy(tensor.bytes.size());
  std::memcpy(copy.span().data(), tensor.bytes.data(), tensor.bytes.size());
  const std::span<std::byte> room = copy.span();
  const Tensor own{tensor.dtype, tensor.shape, Bytes(nullptr, room), nullptr};
  const Smallest smallest = Smallest::of({{"w", own}}, 150150);
  const Mask mask = smallest.mask(0);
  smallest.zero(0, room);
  EXPECT_TRUE(zeroed_by(tensor, own, mask));
  EXPECT_EQ(count_zeros(own), 150150);
  EXPECT_THROW(smallest.zero(0, room.subspan(2)), Error);
}

TEST(Smallest, RefusesNaNByNameAndIndex) {
  for (const DType type : kReals) {
    for (const std::int64_t count : {0, 7}) {
      std::vector<double> values(200000, 1.0);
      values[150001] = std::numeric_limits<double>::quiet_NaN();
      values[199999] = -std::numeric_limits<double>::quiet_NaN();
      try {
        Smallest::of({{"good", random_tensor(type, {10}, 1)}, {"bad", from_doubles(type, {200000}, values)}}, count);
        ADD_FAILURE() << "NaN passed";
      } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "bad: expected numbers, found NaN as weight 150001");
      }
    }
  }
}

TEST(Smallest, RefusesOtherTypesAndCounts) {
  EXPECT_THROW(Smallest::of({{"w", random_tensor(DType::int8, {10}, 1)}}, 1), Error);
  EXPECT_THROW(Smallest::of({{"w", random_tensor(DType::float32, {10}, 1)}}, 11), Error);
  EXPECT_THROW(Smallest::of({{"w", random_tensor(DType::float32, {10}, 1)}}, -1), Error);
  EXPECT_EQ(Smallest::of(std::vector<Weights>(), 0).largest(), 0.0);
}

TEST(Smallest, ScoresMayBeNegativeAndNeedNotExist) {
  const std::vector<double> drawn = [] {
    std::vector<double> out(250000);
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (double& value : out) value = std::round(normal(random) * 1000) / 1000;  // ties, and zeros of both signs
    return out;
  }();
  std::vector<std::size_t> order(drawn.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return drawn[a] < drawn[b]; });
  const auto half = static_cast<std::int64_t>(drawn.size()) / 2;
  Mask first = Mask::all(100000), second = Mask::all(150000);
  for (std::int64_t i = 0; i < half; ++i) {
    const auto at = static_cast<std::int64_t>(order[static_cast<std::size_t>(i)]);
    if (at < 100000) {
      first.drop(at);
    } else {
      second.drop(at - 100000);
    }
  }
  const auto part = [&](std::size_t begin) {
    return [&drawn, begin](std::int64_t at, std::span<double> out) {
      std::copy_n(drawn.begin() + static_cast<std::ptrdiff_t>(begin) + at, out.size(), out.begin());
    };
  };
  for (const int threads : {1, 2, 7}) {
    const Threads scope(threads);
    const Smallest smallest = Smallest::of({Scores{"a", 100000, part(0)}, Scores{"b", 150000, part(100000)}}, half);
    EXPECT_EQ(smallest.mask(0), first);
    EXPECT_EQ(smallest.mask(1), second);
    EXPECT_EQ(smallest.largest(), drawn[order[static_cast<std::size_t>(half - 1)]]);
    EXPECT_THROW(smallest.zeroed(0), Error);
  }
  const auto nan = [](std::int64_t at, std::span<double> out) {
    for (double& value : out) value = at++ == 3 ? -std::numeric_limits<double>::quiet_NaN() : 1.0;
  };
  EXPECT_THROW(Smallest::of({Scores{"a", 9, nan}}, 1), Error);
}

TEST(Smallest, IsTheSameForEveryVectorWidth) {
  for (const DType type : kReals) {
    const Tensor tensor = shifted(random_tensor(type, {100003}, 11), 1);
    const Mask expected = Smallest::of({{"w", tensor}}, 40000).mask(0);
    const std::int64_t all = hwy::SupportedTargets();
    for (std::int64_t rest = all; rest != 0; rest &= rest - 1) {
      hwy::SetSupportedTargetsForTest(rest & -rest);
      const Smallest smallest = Smallest::of({{"w", tensor}}, 40000);
      EXPECT_EQ(smallest.mask(0), expected) << name(type);
      EXPECT_TRUE(zeroed_by(tensor, smallest.zeroed(0), expected)) << name(type);
      EXPECT_TRUE(zeroed_by(tensor, apply_mask(expected, tensor), expected)) << name(type);
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

TEST(Mask, CountsJoinsAndRefuses) {
  Mask a = Mask::all(70), b = Mask::all(70);
  a.drop(0);
  b.drop(69);
  EXPECT_EQ(a.dropped(), 1);
  EXPECT_EQ(both(a, b).dropped(), 2);
  EXPECT_FALSE(both(a, b).stays(69));
  EXPECT_THROW(both(a, Mask::all(71)), Error);
  EXPECT_THROW(Mask::all(-1), Error);
  EXPECT_THROW(apply_mask(a, random_tensor(DType::float32, {71}, 1)), Error);
  EXPECT_THROW(apply_mask(a, random_tensor(DType::int32, {70}, 1)), Error);
}

}  // namespace
}  // namespace coppice::tensor
