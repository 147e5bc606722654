#include "torch/scoring/undisturbed.hpp"

#include <mutex>

#include <ATen/Context.h>

namespace coppice::scoring {

Undisturbed::Undisturbed(torch::nn::Module& module, at::Device device, std::uint64_t seed) {
  modes_.emplace_back(&module, module.is_training());
  for (const auto& child : module.modules(/*include_self=*/false))
    modes_.emplace_back(child.get(), child->is_training());
  std::vector<at::Device> devices{at::kCPU};
  if (device.is_cuda()) devices.push_back(device);
  for (const at::Device& place : devices) {
    at::Generator generator = at::globalContext().defaultGenerator(place);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    states_.emplace_back(generator, generator.get_state());
    generator.set_current_seed(seed);
  }
  module.eval();
}

Undisturbed::~Undisturbed() {
  // train() goes down to the children, which then get their own mode back.
  for (const auto& [module, training] : modes_) module->train(training);
  for (auto& [generator, state] : states_) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state);
  }
}

}  // namespace coppice::scoring
