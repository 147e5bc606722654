#include "train/generators.hpp"

#include <mutex>
#include <random>

#include <ATen/Context.h>

#include "coppice/base/error.hpp"

#include "train/device.hpp"

namespace coppice {
namespace {

std::vector<at::Generator> generators(const torch::nn::Module& module) {
  std::vector<at::Generator> out{at::globalContext().defaultGenerator(at::Device(at::kCPU))};
  const at::Device device = device_of(module);
  if (!device.is_cpu()) out.push_back(at::globalContext().defaultGenerator(device));
  return out;
}

}  // namespace

void seed_generators(const torch::nn::Module& module, std::uint64_t seed, std::int64_t epoch) {
  std::seed_seq parts{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(epoch >> 32)};
  std::uint32_t words[2];
  parts.generate(words, words + 2);
  for (at::Generator& generator : generators(module)) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed((static_cast<std::uint64_t>(words[0]) << 32) | words[1]);
  }
}

std::vector<at::Tensor> generator_states(const torch::nn::Module& module) {
  std::vector<at::Tensor> out;
  for (at::Generator& generator : generators(module)) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    out.push_back(generator.get_state());
  }
  return out;
}

void set_generators(const torch::nn::Module& module, const std::vector<at::Tensor>& states) {
  std::vector<at::Generator> all = generators(module);
  if (states.size() != all.size())
    throw Error("generators: expected the states of " + std::to_string(all.size()) + ", found " +
                std::to_string(states.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::lock_guard<std::mutex> lock(all[i].mutex());
    all[i].set_state(states[i]);
  }
}

}  // namespace coppice
