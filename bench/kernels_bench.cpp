// Speed of the tensor kernels beside the plain reading and copying of the same bytes: see kernels.sh.
#include <cstring>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

namespace {
using namespace coppice;
using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

const Shape kConvolution{1024, 1024, 3, 3};
const Shape kMatrix{3072, 3072};

const Tensor& weight(DType dtype, const Shape& shape) {
  static std::vector<Tensor> made;
  for (const Tensor& tensor : made) {
    if (tensor.dtype == dtype && tensor.shape == shape) return tensor;
  }
  std::mt19937 random(1);
  std::vector<double> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (double& value : values) value = static_cast<double>(random() % 2001) / 1000 - 1;
  return made.emplace_back(tensor::from_doubles(dtype, shape, values));
}

// A random half of the indices, so that neither prefetching nor long runs flatter the result.
std::vector<std::int64_t> half(std::int64_t extent) {
  std::mt19937 random(2);
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < extent; ++i) {
    if (random() % 2 == 0) out.push_back(i);
  }
  return out;
}

void set_rate(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
  base::set_thread_count(0);
}

void read_sum(benchmark::State& state, Tensor source) {
  base::set_thread_count(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    base::parallel_for(source.bytes.size(), std::size_t{1} << 19, [&](std::size_t begin, std::size_t end) {
      std::uint64_t sums[8] = {};
      for (std::size_t at = begin; at + sizeof sums <= end; at += sizeof sums) {
        std::uint64_t words[8];
        std::memcpy(words, source.bytes.data() + at, sizeof words);
        for (int i = 0; i < 8; ++i) sums[i] += words[i];
      }
      benchmark::DoNotOptimize(sums);
    });
  }
  set_rate(state, source.bytes.size());
}

// Into fresh memory each time, as a gathered tensor is.
void copy(benchmark::State& state, Tensor source) {
  base::set_thread_count(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    tensor::Buffer buffer(source.bytes.size());
    base::parallel_for(source.bytes.size(), std::size_t{1} << 19, [&](std::size_t begin, std::size_t end) {
      std::memcpy(buffer.span().data() + begin, source.bytes.data() + begin, end - begin);
    });
    benchmark::DoNotOptimize(buffer);
  }
  set_rate(state, 2 * source.bytes.size());
}

void power_sums(benchmark::State& state, Tensor source, std::vector<std::size_t> axes) {
  base::set_thread_count(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(tensor::axis_power_sums(source, axes, 1));
  set_rate(state, source.bytes.size());
}

// Counts the bytes of the lines that hold kept elements as read, and the result as written.
void gather(benchmark::State& state, Tensor source, std::vector<std::size_t> axes) {
  base::set_thread_count(static_cast<int>(state.range(0)));
  std::vector<std::vector<std::int64_t>> lists;
  for (const std::size_t axis : axes) lists.push_back(half(source.shape[axis]));
  std::vector<tensor::AxisIndices> kept;
  for (std::size_t i = 0; i < axes.size(); ++i) kept.push_back({axes[i], lists[i]});
  std::size_t written = 0;
  for (auto _ : state) {
    const Tensor out = gather_axes(source, kept);
    written = out.bytes.size();
    benchmark::DoNotOptimize(out);
  }
  const bool cuts_rows = axes.front() == 0;
  const std::size_t read = cuts_rows ? source.bytes.size() / static_cast<std::size_t>(source.shape[0]) * lists[0].size()
                                     : source.bytes.size();
  set_rate(state, read + written);
}

void zero(benchmark::State& state, Tensor source, std::vector<std::size_t> axes) {
  base::set_thread_count(static_cast<int>(state.range(0)));
  const auto removed = half(source.shape[axes.front()]);
  for (auto _ : state) benchmark::DoNotOptimize(zero_axes(source, {{axes.front(), removed}}));
  set_rate(state, 2 * source.bytes.size());
}

void fpgm(benchmark::State& state, Tensor source) {
  base::set_thread_count(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(tensor::fpgm_scores(source, 0));
  base::set_thread_count(0);
}

template <class Function, class... Arguments>
void add(const std::string& name, Function function, Arguments... arguments) {
  auto* made = benchmark::RegisterBenchmark(name.c_str(), function, arguments...);
  made->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond)->MinTime(0.02)->Repetitions(9);
}

}  // namespace

int main(int argc, char** argv) {
  using Axes = std::vector<std::size_t>;
  const Tensor convolution = weight(DType::float32, kConvolution), matrix = weight(DType::float32, kMatrix);
  const Tensor half_matrix = weight(DType::float16, kMatrix);
  add("read", read_sum, convolution);
  add("copy", copy, convolution);
  add("sums/conv/0", power_sums, convolution, Axes{0});
  add("sums/conv/1", power_sums, convolution, Axes{1});
  add("sums/conv/0+1", power_sums, convolution, Axes{0, 1});
  add("sums/matrix/0+1", power_sums, matrix, Axes{0, 1});
  add("sums/half/0+1", power_sums, half_matrix, Axes{0, 1});
  add("sums/bfloat16/0+1", power_sums, weight(DType::bfloat16, kMatrix), Axes{0, 1});
  add("sums/int8/0+1", power_sums, weight(DType::int8, kMatrix), Axes{0, 1});
  add("gather/conv/0", gather, convolution, Axes{0});
  add("gather/conv/1", gather, convolution, Axes{1});
  add("gather/conv/0+1", gather, convolution, Axes{0, 1});
  add("gather/matrix/0", gather, matrix, Axes{0});
  add("gather/matrix/1", gather, matrix, Axes{1});
  add("gather/matrix/0+1", gather, matrix, Axes{0, 1});
  add("gather/half/1", gather, half_matrix, Axes{1});
  add("zero/conv/0", zero, convolution, Axes{0});
  add("zero/conv/1", zero, convolution, Axes{1});
  add("zero/matrix/1", zero, matrix, Axes{1});
  add("fpgm/256x2304", fpgm, weight(DType::float32, {256, 256, 3, 3}));
  add("fpgm/1024x9216", fpgm, convolution);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
