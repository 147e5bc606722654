#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

using Indices = std::vector<std::int64_t>;

bool same_element(const Tensor& a, std::int64_t at_a, const Tensor& b, std::int64_t at_b) {
  if (bit_width(a.dtype) == 4) {
    const auto half = [](const Tensor& tensor, std::int64_t index) {
      const auto pair = std::to_integer<unsigned>(tensor.bytes.data()[index / 2]);
      return index % 2 == 0 ? pair % 16 : pair / 16;
    };
    return half(a, at_a) == half(b, at_b);
  }
  const std::int64_t size = bit_width(a.dtype) / 8;
  return std::memcmp(a.bytes.data() + at_a * size, b.bytes.data() + at_b * size, static_cast<std::size_t>(size)) == 0;
}

void expect_gathered(const Tensor& source, const std::vector<AxisIndices>& kept) {
  const Tensor found = gather_axes(source, kept);
  Shape shape = source.shape;
  std::vector<Indices> lists(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    lists[axis].resize(static_cast<std::size_t>(shape[axis]));
    std::iota(lists[axis].begin(), lists[axis].end(), 0);
  }
  for (const auto& [axis, indices] : kept) {
    lists[axis].assign(indices.begin(), indices.end());
    shape[axis] = static_cast<std::int64_t>(indices.size());
  }
  ASSERT_EQ(found.shape, shape);
  ASSERT_EQ(found.dtype, source.dtype);
  ASSERT_EQ(found.bytes.size(), byte_size(source.dtype, element_count(shape)));
  for (std::int64_t at = 0; at < element_count(shape); ++at) {
    std::int64_t rest = at, from = 0, stride = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += lists[axis][static_cast<std::size_t>(rest % shape[axis])] * stride;
      rest /= shape[axis];
      stride *= source.shape[axis];
    }
    ASSERT_TRUE(same_element(found, at, source, from)) << "element " << at;
  }
}

Indices some(std::int64_t extent, unsigned seed) {
  std::mt19937 random(seed);
  Indices out;
  for (std::int64_t i = 0; i < extent; ++i) {
    if (random() % 2 == 0) out.push_back(i);
  }
  if (out.empty() && extent > 0) out.push_back(extent - 1);
  return out;
}

TEST(Gather, CutsBothAxesByHand) {
  const float values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const auto matrix = Tensor::of<float>(DType::float32, {3, 4}, values);
  const Indices rows{0, 2}, columns{1, 3};
  const Tensor found = gather_axes(matrix, {{0, rows}, {1, columns}});
  EXPECT_EQ(found.shape, (Shape{2, 2}));
  const auto span = found.as<float>();
  EXPECT_EQ(std::vector<float>(span.begin(), span.end()), (std::vector<float>{1, 3, 9, 11}));
}

TEST(Gather, AgreesWithALoopForEveryTypeAndRank) {
  const Shape shapes[] = {{1}, {37}, {9, 14}, {14, 9}, {1, 5}, {7, 6, 5}, {8, 5, 3, 3}, {6, 8, 1, 1}, {5, 1, 4, 2, 7}};
  unsigned seed = 0;
  for (int code = 1; code <= 23; ++code) {
    const auto type = static_cast<DType>(code);
    if (type == DType::string) continue;
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(std::string(name(type)) + " " + to_string(shape));
      const Tensor tensor = shifted(random_tensor(type, shape, ++seed), shape.size() + shape[0] % 2);
      std::vector<Indices> lists;
      for (std::size_t axis = 0; axis < shape.size(); ++axis) lists.push_back(some(shape[axis], seed + axis));
      std::vector<AxisIndices> every;
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        expect_gathered(tensor, {{axis, lists[axis]}});
        every.insert(every.begin(), {axis, lists[axis]});
      }
      expect_gathered(tensor, every);
      if (shape.size() > 1) expect_gathered(tensor, {{0, lists[0]}, {1, lists[1]}});
    }
  }
}

TEST(Gather, KeepsOrderAndRepeats) {
  const Tensor tensor = random_tensor(DType::int16, {5, 4}, 3);
  expect_gathered(tensor, {{0, Indices{4, 0, 0, 3}}, {1, Indices{3, 2, 1, 0, 0}}});
}

TEST(Gather, BigTensorsForEveryNumberOfThreads) {
  for (const int threads : {1, 2, 7}) {
    const Threads scope(threads);
    for (const Shape& shape : {Shape{900, 1000}, Shape{150, 350, 3, 3}, Shape{3, 300001}, Shape{500001, 2}}) {
      const Tensor tensor = random_tensor(DType::float32, shape, 9);
      const Indices first = some(shape[0], 1), second = some(shape[1], 2);
      SCOPED_TRACE(to_string(shape));
      expect_gathered(tensor, {{0, first}});
      expect_gathered(tensor, {{1, second}});
      expect_gathered(tensor, {{0, first}, {1, second}});
    }
  }
}

TEST(Gather, ABatchIsItsParts) {
  std::vector<Tensor> tensors;
  std::vector<Indices> lists;
  for (unsigned i = 0; i < 60; ++i) {
    const auto type = i % 3 == 0 ? DType::int4 : i % 3 == 1 ? DType::float32 : DType::float16;
    tensors.push_back(random_tensor(type, {1 + i * 7 % 23, 1 + i * i, 1 + i % 4}, i));
    lists.push_back(some(tensors.back().shape[i % 2], i));
  }
  tensors.push_back(random_tensor(DType::float32, {1200, 1001}, 1));  // a result with a block of its own
  lists.push_back(some(1001, 5));
  tensors.push_back(random_tensor(DType::float32, {0, 4}, 1));
  lists.push_back({});
  tensors.push_back(random_tensor(DType::float32, {4, 2}, 1));  // all kept
  lists.push_back({0, 1});
  std::vector<GatherRequest> requests;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    requests.push_back({&tensors[i], {{i < 60 ? i % 2 : 1, lists[i]}}});
  }
  for (const int threads : {1, 3}) {
    const Threads scope(threads);
    const auto batch = gather_axes(requests);
    ASSERT_EQ(batch.size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Tensor alone = gather_axes(tensors[i], requests[i].kept);
      EXPECT_EQ(batch[i].shape, alone.shape);
      EXPECT_EQ(batch[i].dtype, alone.dtype);
      EXPECT_TRUE(std::ranges::equal(batch[i].bytes.span(), alone.bytes.span())) << i;
    }
  }
  EXPECT_TRUE(gather_axes(std::span<const GatherRequest>{}).empty());
}

TEST(Gather, AllKeptSharesTheBytes) {
  const Tensor tensor = random_tensor(DType::float32, {3, 2}, 3);
  EXPECT_EQ(gather_axes(tensor, {{0, Indices{0, 1, 2}}, {1, Indices{0, 1}}}).bytes.data(), tensor.bytes.data());
  EXPECT_EQ(gather_axes(tensor, {}).bytes.data(), tensor.bytes.data());
  const Tensor scalar = Tensor::scalar(3.0f);
  EXPECT_EQ(gather_axes(scalar, {}).bytes.data(), scalar.bytes.data());
}

TEST(Gather, EmptyListsMakeEmptyTensors) {
  const Tensor tensor = random_tensor(DType::float32, {3, 2}, 3);
  EXPECT_EQ(gather_axes(tensor, {{1, {}}}).shape, (Shape{3, 0}));
  EXPECT_EQ(gather_axes(tensor, {{1, {}}}).bytes.size(), 0u);
  EXPECT_EQ(gather_axes(random_tensor(DType::int4, {3, 3}, 3), {{0, {}}, {1, Indices{1}}}).shape, (Shape{0, 1}));
  EXPECT_EQ(gather_axes(random_tensor(DType::float32, {4, 0}, 3), {{0, Indices{1}}}).shape, (Shape{1, 0}));
}

TEST(Gather, Strings) {
  const Tensor tensor{DType::string,
                      {2, 2},
                      {},
                      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "b", "c", "d"})};
  const Tensor found = gather_axes(tensor, {{1, Indices{1}}});
  EXPECT_EQ(*found.strings, (std::vector<std::string>{"b", "d"}));
  EXPECT_TRUE(gather_axes(tensor, {{0, {}}}).strings->empty());
}

TEST(Gather, RefusesWhatDoesNotFit) {
  const Tensor tensor = random_tensor(DType::float32, {3, 2}, 3);
  const Indices beyond{0, 3}, negative{-1}, fine{0};
  EXPECT_THROW(gather_axes(tensor, {{0, beyond}}), Error);
  EXPECT_THROW(gather_axes(tensor, {{0, negative}}), Error);
  EXPECT_THROW(gather_axes(tensor, {{2, fine}}), Error);
  EXPECT_THROW(gather_axes(tensor, {{0, fine}, {0, fine}}), Error);
  EXPECT_THROW(gather_axes(Tensor{static_cast<DType>(99), {1}, {}, nullptr}, {{0, fine}}), Error);
  EXPECT_THROW(gather_axes(Tensor{DType::float32, {2}, tensor.bytes, nullptr}, {{0, fine}}), Error);
}

}  // namespace
}  // namespace coppice::tensor
