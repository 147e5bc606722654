// Zeroing the smallest half of many weights beside plain passes over the same memory: see sparsify.sh.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "coppice/base/parallel.hpp"
#include "coppice/tensor/patterns.hpp"
#include "coppice/tensor/smallest.hpp"

namespace {
using namespace coppice;
using tensor::DType;
using tensor::Tensor;

constexpr std::size_t kGrain = std::size_t{1} << 19;

/// Weights in one block of memory, cut into as many tensors as a network has.
struct Block {
  DType dtype;
  std::vector<std::byte> source, bytes;
  std::vector<tensor::Weights> tensors;

  Block(DType type, std::int64_t count) : dtype(type) {
    constexpr std::int64_t drawn = std::int64_t{1} << 20;
    std::mt19937 random(1);
    std::normal_distribution<double> normal(0, 0.02);
    std::vector<double> values(static_cast<std::size_t>(drawn));
    const auto width = static_cast<std::size_t>(tensor::bit_width(type)) / 8;
    source.resize(static_cast<std::size_t>(count) * width);
    for (std::size_t at = 0; at < source.size();) {
      for (double& value : values) value = normal(random);
      const Tensor part = tensor::from_doubles(type, {drawn}, values);
      // Drawing takes longer than all that is measured: repeat what was drawn, a little moved.
      for (int copies = 0; copies < 16 && at < source.size(); ++copies) {
        const std::size_t size =
            std::min(source.size() - at, part.bytes.size() - static_cast<std::size_t>(copies) * width);
        std::memcpy(source.data() + at, part.bytes.data(), size);
        at += size;
      }
    }
    bytes = source;
    constexpr std::int64_t layers = 50;
    for (std::int64_t i = 0; i < layers; ++i) {
      const auto first = static_cast<std::size_t>(count * i / layers) * width,
                 end = static_cast<std::size_t>(count * (i + 1) / layers) * width;
      tensors.push_back({"w" + std::to_string(i),
                         {type,
                          {static_cast<std::int64_t>((end - first) / width)},
                          tensor::Bytes(nullptr, std::span(bytes).subspan(first, end - first)),
                          nullptr}});
    }
  }
  std::vector<std::span<std::byte>> rooms() {
    std::vector<std::span<std::byte>> out;
    for (std::size_t i = 0; i < tensors.size(); ++i) out.push_back(room(i));
    return out;
  }
  std::span<std::byte> room(std::size_t i) {
    const auto& part = tensors[i].tensor.bytes;
    return std::span(bytes).subspan(static_cast<std::size_t>(part.data() - bytes.data()), part.size());
  }
};

volatile std::uint64_t sink;

void read_all(const Block& block) {
  base::parallel_for(block.bytes.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    std::uint64_t sums[8] = {};
    for (std::size_t at = begin; at + sizeof sums <= end; at += sizeof sums) {
      std::uint64_t words[8];
      std::memcpy(words, block.bytes.data() + at, sizeof words);
      for (int i = 0; i < 8; ++i) sums[i] += words[i];
    }
    sink = sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
  });
}

void rewrite_all(Block& block) {
  base::parallel_for(block.bytes.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at + 64 <= end; at += 64) {
      std::uint64_t words[8];
      std::memcpy(words, block.bytes.data() + at, sizeof words);
      for (std::uint64_t& word : words) word ^= 0x8000800080008000u;
      std::memcpy(block.bytes.data() + at, words, sizeof words);
    }
  });
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Way {
  std::string name;
  std::function<void()> work;
  double best = std::numeric_limits<double>::infinity();
};

/// Turn by turn, so that what else the machine does meets all of them; the least time of each counts.
void measure(std::vector<Way>& ways, int turns, const std::function<void()>& before) {
  for (int turn = 0; turn < turns; ++turn) {
    for (Way& way : ways) {
      before();
      way.best = std::min(way.best, seconds(way.work));
    }
  }
}

void print(DType dtype, std::int64_t count, const std::vector<Way>& ways) {
  for (const Way& way : ways)
    std::printf("%-9s %-26s %8.1f ms %7.2f G weights/s %6.2f\n", std::string(tensor::name(dtype)).c_str(),
                way.name.c_str(), way.best * 1e3, static_cast<double>(count) / way.best / 1e9,
                way.best / ways.front().best);
}

void report(DType dtype, std::int64_t count, int turns) {
  Block block(dtype, count);
  const auto restore = [&] { std::memcpy(block.bytes.data(), block.source.data(), block.source.size()); };
  std::vector<Way> ways{
      {"read, then rewrite",
       [&] {
         read_all(block);
         rewrite_all(block);
       }},
      {"zero half, all layers",
       [&] {
         const auto smallest = tensor::Smallest::of(block.tensors, count / 2);
         smallest.zero(block.rooms());
       }},
      {"of this, choosing",
       [&] { sink = static_cast<std::uint64_t>(tensor::Smallest::of(block.tensors, count / 2).chosen(0)); }},
      {"zero half of each layer", [&] {
         for (std::size_t i = 0; i < block.tensors.size(); ++i)
           tensor::Smallest::of({block.tensors[i]}, block.tensors[i].tensor.elements() / 2).zero(0, block.room(i));
       }}};
  measure(ways, turns, restore);
  print(dtype, count, ways);
}

/// 2:4 from one block of memory to another, beside copying it.
void report_pattern(DType dtype, std::int64_t count, int turns) {
  Block block(dtype, count);
  std::vector<std::byte> to(block.bytes.size());
  std::vector<Way> ways{
      {"copy",
       [&] {
         base::parallel_for(to.size(), kGrain, [&](std::size_t begin, std::size_t end) {
           std::memcpy(to.data() + begin, block.bytes.data() + begin, end - begin);
         });
       }},
      {"2:4", [&] {
         const std::int64_t rows = count / 4096;
         const auto bytes = tensor::byte_size(dtype, rows * 4096);
         const Tensor matrix{dtype, {rows, 4096}, tensor::Bytes(nullptr, std::span(block.bytes).first(bytes)), nullptr};
         tensor::zero_keep_of("w", matrix, {2, 4, 1}, std::span(to).first(bytes));
       }}};
  measure(ways, turns, [] {});
  print(dtype, count, ways);
}

}  // namespace

/// sparsify_bench [WEIGHTS [TURNS [TYPE...]]]: float32, float16, bfloat16, float64
int main(int argc, char** argv) {
  const std::int64_t count = argc > 1 ? std::atoll(argv[1]) : 105000000;
  const int turns = argc > 2 ? std::atoi(argv[2]) : 7;
  const auto wanted = [&](DType type) {
    return argc <= 3 || std::find(argv + 3, argv + argc, tensor::name(type)) != argv + argc;
  };
  std::printf("%lld weights, %d threads, least of %d; last column: times the first of its kind\n",
              static_cast<long long>(count), coppice::base::thread_count(), turns);
  for (const DType type : {DType::float32, DType::float16, DType::bfloat16, DType::float64})
    if (wanted(type)) report(type, count, turns);
  for (const DType type : {DType::float32, DType::float16})
    if (wanted(type)) report_pattern(type, count, turns);
}
