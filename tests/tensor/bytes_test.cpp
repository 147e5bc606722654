// Bytes that wait to be made, and bytes of a mapped file that are given back while they are read.
#include "coppice/tensor/bytes.hpp"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/tensor/kernels.hpp"

#include "../support/scratch.hpp"
#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

using Indices = std::vector<std::int64_t>;

bool equal(const Bytes& a, const Bytes& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

TEST(BytesLater, AreMadeOnceForAllReaders) {
  const Bytes source = random_tensor(DType::uint8, {1000}, 1).bytes;
  int calls = 0;
  const Bytes later = Bytes::later(source.size(), [&] {
    ++calls;
    return source;
  });
  EXPECT_EQ(later.size(), 1000u);
  EXPECT_EQ(calls, 0);
  const Bytes copy = later;
  std::thread other([&] { EXPECT_TRUE(equal(copy, source)); });
  EXPECT_TRUE(equal(later.slice(10, 20), source.slice(10, 20)));
  other.join();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(equal(later.now(), source));
  EXPECT_EQ(calls, 1);
}

TEST(BytesLater, NowKeepsNothing) {
  int calls = 0;
  const Bytes later = Bytes::later(4, [&] {
    ++calls;
    return random_tensor(DType::uint8, {4}, 2).bytes;
  });
  const Bytes first = later.now(), second = later.now();
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(first.same_place(second));
  EXPECT_TRUE(equal(first, second));
}

TEST(BytesLater, PassOnWhatTheirMakerThrows) {
  const Bytes later = Bytes::later(4, []() -> Bytes { throw Error("no"); });
  EXPECT_THROW(later.span(), Error);
  EXPECT_THROW(later.now(), Error);
}

TEST(BytesLater, ArePlacesOfTheirOwn) {
  const auto make = [] { return Bytes(); };
  const Bytes a = Bytes::later(0, make), b = Bytes::later(0, make), copy = a;
  EXPECT_TRUE(a.same_place(copy));
  EXPECT_FALSE(a.same_place(b));
}

TEST(GatherLater, IsGatherAxes) {
  for (const DType type : {DType::float32, DType::float16, DType::int4}) {
    Tensor tensor = random_tensor(type, {9, 14, 3}, 5);
    const Tensor expected = gather_axes(tensor, {{0, Indices{0, 3, 8}}, {1, Indices{1, 2, 13}}});
    Tensor found;
    {
      const Indices rows{0, 3, 8}, columns{1, 2, 13};
      found = gather_later(tensor, {{0, rows}, {1, columns}});
    }
    tensor = {};  // source and indices are held by the result
    EXPECT_EQ(found.shape, expected.shape);
    EXPECT_TRUE(equal(found.bytes, expected.bytes)) << name(type);
  }
  EXPECT_THROW(gather_later(random_tensor(DType::float32, {2}, 1), {{0, Indices{2}}}), Error);
  const Tensor whole = random_tensor(DType::float32, {2}, 1);
  EXPECT_TRUE(gather_later(whole, {}).bytes.same_place(whole.bytes));
}

// The same tensor on the heap and in a mapped file, behind a header that puts it at an odd place within its page.
struct Twins {
  Tensor heap, mapped;
};

Twins twins(DType type, const Shape& shape, const test::Scratch& scratch) {
  Twins out;
  out.heap = random_tensor(type, shape, 7);
  const std::string path = scratch / "tensor.bin";
  {
    std::ofstream file(path, std::ios::binary);
    file << std::string(1234, 'x');
    file.write(reinterpret_cast<const char*>(out.heap.bytes.data()),
               static_cast<std::streamsize>(out.heap.bytes.size()));
  }
  const auto file = base::MappedFile::open(path);
  out.mapped = out.heap;
  out.mapped.bytes = Bytes(file, file->bytes().subspan(1234), Residence::streamed);
  return out;
}

TEST(MappedBytes, GiveTheSameResultsWhileTheirPagesGo) {
  const test::Scratch scratch;
  for (const Shape& shape : {Shape{700, 900, 3}, Shape{3, 700000}, Shape{40, 50}, Shape{2000000}}) {
    for (const DType type : {DType::float32, DType::int8}) {
      SCOPED_TRACE(to_string(shape) + " " + std::string(name(type)));
      const Twins t = twins(type, shape, scratch);
      std::vector<std::size_t> axes(shape.size());
      std::vector<Indices> lists(shape.size());
      std::vector<AxisIndices> kept;
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        axes[axis] = axis;
        for (std::int64_t i = 0; i < shape[axis]; i += 2) lists[axis].push_back(i);
        kept.push_back({axis, lists[axis]});
      }
      EXPECT_EQ(axis_power_sums(t.heap, axes, 2), axis_power_sums(t.mapped, axes, 2));
      EXPECT_TRUE(equal(gather_axes(t.heap, kept).bytes, gather_axes(t.mapped, kept).bytes));
      EXPECT_TRUE(equal(zero_axes(t.heap, kept).bytes, zero_axes(t.mapped, kept).bytes));
      EXPECT_EQ(count_zeros(t.heap), count_zeros(t.mapped));
      EXPECT_TRUE(equal(t.heap.bytes, t.mapped.bytes));
    }
  }
}

}  // namespace
}  // namespace coppice::tensor
