#include "coppice/tensor/zero_structure.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"

namespace coppice::tensor {
namespace {

// Straight from the definition, element by element.
ZeroStructure by_definition(const Tensor& tensor) {
  ZeroStructure out;
  const std::int64_t rows = tensor.shape[0], columns = tensor.shape[1], last = tensor.shape.back();
  const std::int64_t row = tensor.elements() / rows, inner = row / columns;
  const auto zero = [&](std::int64_t i) { return element_as_double(tensor, i) == 0; };
  std::vector<bool> row_filled(static_cast<std::size_t>(rows)), column_filled(static_cast<std::size_t>(columns));
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    out.zeros += zero(i) ? 1 : 0;
    if (zero(i)) continue;
    row_filled[static_cast<std::size_t>(i / row)] = true;
    column_filled[static_cast<std::size_t>(i % row / inner)] = true;
  }
  out.zero_rows = std::count(row_filled.begin(), row_filled.end(), false);
  out.zero_columns = std::count(column_filled.begin(), column_filled.end(), false);
  for (std::size_t k = 0; k < out.most.size(); ++k) {
    const std::int64_t size = zero_group_sizes[k];
    if (last % size != 0) continue;
    out.most[k] = 0;
    for (std::int64_t first = 0; first < tensor.elements(); first += size) {
      int filled = 0;
      for (std::int64_t i = first; i < first + size; ++i) filled += zero(i) ? 0 : 1;
      out.most[k] = std::max(*out.most[k], filled);
    }
  }
  return out;
}

// Likewise, of groups on one axis.
ZeroGroups groups_by_definition(const Tensor& tensor, std::size_t axis) {
  ZeroGroups out;
  const std::int64_t rows = tensor.shape[axis];
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < tensor.shape.size(); ++i) inner *= tensor.shape[i];
  for (std::size_t k = 0; k < out.size(); ++k) {
    const std::int64_t size = zero_group_sizes[k];
    if (rows % size != 0) continue;
    out[k] = 0;
    for (std::int64_t first = 0; first < tensor.elements(); ++first) {
      if (first / inner % size != 0) continue;
      int filled = 0;
      for (std::int64_t i = 0; i < size; ++i) filled += element_as_double(tensor, first + i * inner) == 0 ? 0 : 1;
      out[k] = std::max(*out[k], filled);
    }
  }
  return out;
}

void expect_equal(const ZeroStructure& found, const ZeroStructure& expected) {
  EXPECT_EQ(found.zeros, expected.zeros);
  EXPECT_EQ(found.most, expected.most);
  EXPECT_EQ(found.zero_rows, expected.zero_rows);
  EXPECT_EQ(found.zero_columns, expected.zero_columns);
}

TEST(ZeroStructure, OfAMatrixByHand) {
  const std::vector<float> values{1, 0,     0, 2, 0, 0,  3, 4,  //
                                  0, -0.0f, 0, 0, 0, 0,  0, 0,  //
                                  0, 5,     0, 6, 0, -7, 0, 1e-45f};
  const ZeroStructure found = zero_structure(Tensor::of<float>(DType::float32, {3, 8}, values));
  EXPECT_EQ(found.zeros, 16);
  EXPECT_EQ(found.most, (std::array<std::optional<int>, 5>{2, 2, 4, std::nullopt, std::nullopt}));
  EXPECT_EQ(found.zero_rows, 1);
  EXPECT_EQ(found.zero_columns, 2);
}

TEST(ZeroStructure, IsThatOfTheDefinition) {
  const std::vector<Shape> shapes{{1, 2},        {3, 1},     {7, 64},       {5, 96},  {4, 3, 5}, {2, 6, 1, 32},
                                  {2, 3, 16, 2}, {2, 40000}, {1, 16384, 2}, {70, 33}, {129, 8}};
  std::uint64_t state = 1;
  const auto next = [&] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33; };
  for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16, DType::float64, DType::int8, DType::uint8,
                            DType::int32, DType::int64}) {
    for (const Shape& shape : shapes) {
      for (const std::uint64_t in_hundred : {3u, 50u, 97u, 100u}) {
        std::vector<double> values(static_cast<std::size_t>(element_count(shape)));
        for (double& value : values) value = next() % 100 < in_hundred ? 0 : static_cast<double>(next() % 9 + 1);
        const std::size_t columns = static_cast<std::size_t>(shape[1]);
        const std::size_t inner = values.size() / static_cast<std::size_t>(shape[0]) / columns;
        for (std::size_t i = 0; i < values.size(); ++i)
          if (i / inner % columns == columns / 2) values[i] = 0;
        SCOPED_TRACE(std::string(name(dtype)) + " " + to_string(shape) + " " + std::to_string(in_hundred));
        const Tensor tensor = from_doubles(dtype, shape, values);
        expect_equal(zero_structure(tensor), by_definition(tensor));
        for (std::size_t axis = 0; axis < shape.size(); ++axis)
          EXPECT_EQ(zero_groups(tensor, axis), groups_by_definition(tensor, axis)) << axis;
      }
    }
  }
}

TEST(ZeroStructure, IsTheSameForAnyNumberOfThreads) {
  std::vector<double> values(std::size_t{3} << 20);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 4 < 2 || i / 4096 == 9 ? 0 : 1;
  const Tensor tensor = from_doubles(DType::float32, {768, 4096}, values);
  for (const int threads : {1, 2, 7}) {
    base::set_thread_count(threads);
    const ZeroStructure found = zero_structure(tensor);
    EXPECT_EQ(found.zeros, 768 * 2048 + 2048);
    EXPECT_EQ(found.most, (std::array<std::optional<int>, 5>{2, 2, 4, 8, 16}));
    EXPECT_EQ(found.zero_rows, 1);
    EXPECT_EQ(found.zero_columns, 2048);
  }
  base::set_thread_count(0);
}

TEST(ZeroStructure, CountsOnlyZerosWhereThereAreNoRows) {
  const std::vector<float> values{0, 1, 0, 0};
  for (const Shape& shape : {Shape{4}, Shape{}}) {
    const ZeroStructure found =
        zero_structure(Tensor::of<float>(DType::float32, shape, std::span(values).first(shape.empty() ? 1 : 4)));
    EXPECT_EQ(found.zeros, shape.empty() ? 1 : 3);
    EXPECT_FALSE(found.zero_rows || found.zero_columns || found.most[0]);
  }
  EXPECT_EQ(zero_structure(Tensor::of<float>(DType::float32, {3, 0}, std::span(values).first(0))).zeros, 0);
  const std::vector<std::uint8_t> packed{0x80, 0x01};  // 4-bit floats 0, -0, 0.5, 0
  EXPECT_EQ(zero_structure(Tensor::of<std::uint8_t>(DType::float4e2m1, {2, 2}, packed)).zeros, 3);
  const std::vector<std::uint8_t> eight{0x80, 0x00, 0x01, 0x00};
  EXPECT_EQ(zero_structure(Tensor::of<std::uint8_t>(DType::float8e4m3fn, {2, 2}, eight)).zero_columns, 1);
  EXPECT_EQ(zero_structure(Tensor::of<std::uint8_t>(DType::float8e4m3fn, {2, 2}, eight)).zero_rows, 1);
  EXPECT_THROW(zero_structure({DType::undefined, {1}, {}, nullptr}), Error);
  const Tensor none = Tensor::of<float>(DType::float32, {3, 0}, std::span(values).first(0));
  EXPECT_EQ(zero_groups(none, 1), ZeroGroups());
  EXPECT_EQ(zero_groups(Tensor::of<std::uint8_t>(DType::float4e2m1, {2, 2}, packed), 1), ZeroGroups());
  EXPECT_THROW(zero_groups(none, 2), Error);
}

}  // namespace
}  // namespace coppice::tensor
