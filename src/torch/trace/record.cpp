#include "torch/trace/record.hpp"

#include <map>
#include <tuple>
#include <unordered_set>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/ir.h>

#include "coppice/base/error.hpp"

#include "torch/messages.hpp"
#include "torch/trace/undisturbed.hpp"

namespace coppice::tracing {
namespace {

// Every parameter and buffer once, however many paths lead to it.
std::vector<Leaf> leaves_of(torch::nn::Module& module) {
  std::vector<Leaf> out;
  std::unordered_set<const at::TensorImpl*> seen;
  std::map<std::tuple<const void*, std::vector<std::int64_t>, std::vector<std::int64_t>, at::ScalarType>, std::size_t>
      memory;
  const auto add = [&](const auto& named) {
    for (const auto& entry : named) {
      const at::Tensor& tensor = entry.value();
      if (!tensor.defined() || !seen.insert(tensor.unsafeGetTensorImpl()).second) continue;
      const std::size_t index = out.size();
      const auto key = std::make_tuple(static_cast<const void*>(tensor.data_ptr()), tensor.sizes().vec(),
                                       tensor.strides().vec(), tensor.scalar_type());
      const std::size_t first = tensor.numel() == 0 ? index : memory.emplace(key, index).first->second;
      out.push_back({entry.key(), tensor, first});
    }
  };
  add(module.named_parameters());
  add(module.named_buffers());
  return out;
}

torch::jit::Module mirror(const std::vector<Leaf>& leaves) {
  torch::jit::Module out("mirror");
  for (std::size_t i = 0; i < leaves.size(); ++i)
    out.register_parameter("p" + std::to_string(i), leaves[i].tensor, false);
  return out;
}

void check_devices(const std::vector<Leaf>& leaves, const std::vector<at::Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined()) throw Error("example input " + std::to_string(i) + " is an undefined tensor");
  if (leaves.empty()) return;
  const at::Device device = leaves[0].tensor.device();
  for (const Leaf& leaf : leaves)
    if (leaf.tensor.device() != device)
      throw Error("parameter \"" + leaf.name + "\": expected it on " + device.str() + " as \"" + leaves[0].name +
                  "\", found it on " + leaf.tensor.device().str());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].device() != device)
      throw Error("example input " + std::to_string(i) + ": expected it on " + device.str() + " as the module, found " +
                  inputs[i].device().str());
}

}  // namespace

Recording record(const Callable& callable, const std::vector<at::Tensor>& inputs, bool evaluation) {
  Recording out;
  out.leaves = leaves_of(callable.module());
  check_devices(out.leaves, inputs);
  const Undisturbed undisturbed(callable.module(), evaluation);
  torch::jit::Module self = mirror(out.leaves);
  torch::jit::Stack stack;
  // Copies: forward() may write to its inputs, and two inputs may be one tensor.
  for (const at::Tensor& input : inputs) stack.emplace_back(input.detach().clone());
  const auto run = [&](const torch::jit::Stack& arguments) {
    const torch::jit::tracer::NoWarn quiet;  // it speaks of the recording under way
    std::vector<at::Tensor> tensors;
    for (const c10::IValue& argument : arguments) tensors.push_back(argument.toTensor());
    torch::jit::Stack results;
    for (at::Tensor& result : callable(tensors)) {
      if (!result.defined()) throw Error("output " + std::to_string(results.size()) + " is an undefined tensor");
      results.emplace_back(std::move(result));
    }
    if (results.empty()) throw Error("the module's forward() returns no tensor");
    return results;
  };
  try {
    out.graph = torch::jit::tracer::trace(
                    std::move(stack), run, [](const at::Tensor&) { return std::string(); }, true, false, &self)
                    .first->graph;
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw Error("the module's forward() failed: " + first_line(error));
  } catch (const std::exception& error) {
    throw Error("the module's forward() failed: " + first_line(error.what()));
  }
  if (const std::string name = undisturbed.written_parameter(); !name.empty())
    throw Error("the module's forward() writes to its parameter \"" + name + "\"");
  return out;
}

}  // namespace coppice::tracing
