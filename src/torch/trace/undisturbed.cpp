#include "torch/trace/undisturbed.hpp"

#include <mutex>
#include <set>
#include <string>

#include <ATen/Context.h>

namespace coppice::tracing {
namespace {

// In an order in which train() of a module comes before that of what it holds: it sets its submodules' flags too.
// Module::modules() would do, but for modules that no shared pointer holds.
void collect(const torch::nn::Module& root, std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>>& out) {
  std::vector<std::shared_ptr<torch::nn::Module>> waiting = root.children();
  while (!waiting.empty()) {
    const std::shared_ptr<torch::nn::Module> next = waiting.back();
    waiting.pop_back();
    out.emplace_back(next, next->is_training());
    for (const auto& child : next->children()) waiting.push_back(child);
  }
}

}  // namespace

Undisturbed::Undisturbed(torch::nn::Module& module, bool evaluation) {
  // The root by a pointer that owns nothing: the caller holds it.
  flags_.emplace_back(std::shared_ptr<torch::nn::Module>(std::shared_ptr<void>(), &module), module.is_training());
  collect(module, flags_);
  std::set<at::Device, bool (*)(const at::Device&, const at::Device&)> devices(
      [](const at::Device& a, const at::Device& b) {
        return std::make_pair(a.type(), a.index()) < std::make_pair(b.type(), b.index());
      });
  devices.insert(at::Device(at::kCPU));
  for (const auto& entry : module.named_parameters()) {
    if (!entry.value().defined()) continue;
    parameters_.push_back({entry.key(), entry.value(), static_cast<std::uint64_t>(entry.value()._version())});
    if (entry.value().is_cuda()) devices.insert(entry.value().device());
  }
  for (const at::Tensor& buffer : module.buffers())
    if (buffer.defined()) buffers_.push_back({buffer, buffer.detach().clone()});
  for (const at::Device& device : devices) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generators_.emplace_back(generator, generator.get_state());
  }
  if (evaluation) module.eval();
}

Undisturbed::~Undisturbed() {
  for (const auto& [module, training] : flags_)
    if (module->is_training() != training) module->train(training);
  // A buffer that nobody wrote to is not written to here: autograd counts the writes.
  for (Buffer& buffer : buffers_) {
    if (buffer.tensor.sizes() != buffer.copy.sizes()) {
      buffer.tensor.set_data(buffer.copy);
    } else if (!buffer.tensor.equal(buffer.copy)) {
      buffer.tensor.detach().copy_(buffer.copy);
    }
  }
  for (auto& [generator, state] : generators_) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state);
  }
}

std::string Undisturbed::written_parameter() const {
  for (const Parameter& parameter : parameters_)
    if (static_cast<std::uint64_t>(parameter.tensor._version()) != parameter.version) return parameter.name;
  return {};
}

}  // namespace coppice::tracing
