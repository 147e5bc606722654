// Writes a checkpoint of random weights in 50 layers, in safetensors: make_checkpoint FILE WEIGHTS
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "coppice/formats/safetensors.hpp"

namespace {
using namespace coppice;

void make(const std::string& path, std::int64_t weights) {
  constexpr std::int64_t layers = 50, columns = 1000;
  std::vector<formats::SafetensorsEntry> entries;
  for (std::int64_t i = 0; i < layers; ++i)
    entries.push_back({.name = "layers." + std::to_string(i) + ".weight",
                       .dtype = tensor::DType::float32,
                       .shape = {weights / layers / columns, columns}});
  const auto layout = formats::SafetensorsLayout::of(std::move(entries));
  formats::SafetensorsWriter writer(path, layout);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02F);
  // Drawing takes longer than all that is measured: draw some, and begin at another place of them each time.
  std::vector<float> drawn(std::size_t{1} << 21);
  for (float& value : drawn) value = normal(random);
  const auto bytes = std::as_bytes(std::span(drawn));
  for (std::uint64_t left = layout.data_bytes(), turn = 0; left > 0; ++turn) {
    const std::uint64_t skip = turn * 4 * 9973 % (bytes.size() / 2);
    const std::uint64_t size = std::min<std::uint64_t>(left, bytes.size() / 2);
    writer.write(bytes.subspan(skip, size));
    left -= size;
  }
  writer.commit();
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count != 3) throw std::runtime_error("usage: make_checkpoint FILE WEIGHTS");
    make(arguments[1], std::atoll(arguments[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_checkpoint: %s\n", error.what());
    return 1;
  }
}
