// Time per node of preparing and cutting a chain of residual blocks, from a hundred to a hundred thousand nodes.
#include <vector>

#include <benchmark/benchmark.h>

#include "coppice/graph/builder.hpp"
#include "coppice/pruning/cut.hpp"

namespace {
using namespace coppice;

constexpr std::int64_t channels = 8;

// (x + conv(relu(x))) / 2 and a Reshape; every block reads the same constants, as exporters leave them.
graph::Model chain(std::int64_t nodes) {
  graph::Builder b("chain");
  const std::vector<float> weights(channels * channels, 0.5f), bias(channels, 0.1f), stem(channels * 3, 0.5f);
  graph::ValueId x = b.input("x", graph::DType::float32, {{1, {}}, {3, {}}, {4, {}}, {4, {}}});
  x = b.op("Conv",
           {x, b.initializer("stem", graph::Tensor::of<float>(graph::DType::float32, {channels, 3, 1, 1}, stem))});
  const graph::ValueId target = b.ints({0, -1, 4, 4}), half = b.real_scalar(0.5f);
  for (std::int64_t i = 0; 5 * i < nodes; ++i) {
    const std::string name = "block" + std::to_string(i);
    const auto w = b.initializer(name + ".weight",
                                 graph::Tensor::of<float>(graph::DType::float32, {channels, channels, 1, 1}, weights));
    const auto c = b.initializer(name + ".bias", graph::Tensor::of<float>(graph::DType::float32, {channels}, bias));
    const auto y = b.op("Conv", {b.op("Relu", {x}), w, c});
    x = b.op("Reshape", {b.op("Mul", {b.op("Add", {x, y}), half}), target});
  }
  b.output(b.op("GlobalAveragePool",
                {b.op("Conv",
                      {x, b.initializer("head", graph::Tensor::of<float>(graph::DType::float32, {2, channels, 1, 1},
                                                                         std::span(weights).first(2 * channels)))})}),
           graph::DType::float32, {{1, {}}, {2, {}}, {1, {}}, {1, {}}});
  return std::move(b).finish();
}

void prepare_and_cut(benchmark::State& state) {
  const graph::Model model = chain(state.range(0));
  for (auto _ : state) {
    const pruning::Prepared prepared = pruning::prepare(model);
    std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
    for (const coupling::Group& group : prepared.couplings.groups())
      for (std::size_t i = 1; i < group.units.size(); i += 2) removed[static_cast<std::size_t>(group.units[i])] = 1;
    benchmark::DoNotOptimize(pruning::cut(prepared, removed));
  }
  state.counters["per_node"] =
      benchmark::Counter(static_cast<double>(model.graph.nodes.size()),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(prepare_and_cut)->RangeMultiplier(10)->Range(100, 100000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
