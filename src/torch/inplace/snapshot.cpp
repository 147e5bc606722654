#include "coppice/torch/snapshot.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/inplace/module_widths.hpp"
#include "torch/inplace/optimizer_memory.hpp"
#include "torch/module_tensors.hpp"

namespace coppice {
namespace {

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

// New data for a tensor that stays the same object.
struct Swap {
  at::Tensor tensor, before, after, gradient;
};

void put(at::Tensor& tensor, const at::Tensor& data, const at::Tensor& gradient) {
  if (tensor.grad().defined()) tensor.mutable_grad() = at::Tensor();
  tensor.set_data(data);
  if (gradient.defined()) tensor.mutable_grad() = gradient;
}

}  // namespace

struct ModuleSnapshot::State {
  Callable model;
  Tensors copies;
  inplace::Groups groups;
  std::optional<graph::Model> graph;
  torch::optim::Optimizer* optimizer;
  std::optional<inplace::OptimizerMemory> memory;

  State(const Callable& callable, torch::optim::Optimizer* opt) : model(callable), optimizer(opt) {
    for (const auto& [name, tensor] : tensors_of(model.module())) copies.emplace_back(name, tensor.detach().clone());
    groups = inplace::groups_of(model.module());
    if (optimizer) memory = inplace::remember(*optimizer);
    if (const auto* module = graph_module()) {
      graph = module->view();
      // The view would keep the tensors of now alive beside their copies.
      for (const auto& [name, copy] : copies) {
        const graph::ValueId value = graph->graph.find(name);
        if (value != graph::no_value && graph->graph.constant(value))
          graph->graph.set_constant(value, to_coppice(copy));
      }
    }
  }

  GraphModule* graph_module() const { return dynamic_cast<GraphModule*>(&model.module()); }

  std::vector<Swap> swaps() const {
    std::vector<Swap> out;
    const Tensors now = tensors_of(model.module());
    for (const auto& [name, copy] : copies) {
      const at::Tensor* tensor = nullptr;
      for (const auto& entry : now)
        if (entry.first == name) tensor = &entry.second;
      if (!tensor) throw Error("snapshot: expected a parameter or buffer \"" + name + "\", found none");
      if (tensor->scalar_type() != copy.scalar_type())
        throw Error("snapshot: \"" + name + "\": expected " + c10::toString(copy.scalar_type()) + ", found " +
                    c10::toString(tensor->scalar_type()));
      out.push_back({*tensor, tensor->detach(), copy.to(tensor->device(), false, true), tensor->grad()});
    }
    return out;
  }
};

ModuleSnapshot::ModuleSnapshot(const Callable& model, torch::optim::Optimizer* optimizer)
    : state_(std::make_unique<State>(model, optimizer)) {}
ModuleSnapshot::~ModuleSnapshot() = default;
ModuleSnapshot::ModuleSnapshot(ModuleSnapshot&&) noexcept = default;
ModuleSnapshot& ModuleSnapshot::operator=(ModuleSnapshot&&) noexcept = default;

void ModuleSnapshot::restore() const {
  torch::nn::Module& module = state_->model.module();
  std::vector<Swap> swaps = state_->swaps();
  std::optional<inplace::OptimizerMemory> memory;
  if (state_->memory) memory = inplace::copy(*state_->memory);
  const inplace::Groups groups = inplace::groups_of(module);
  for (Swap& swap : swaps) put(swap.tensor, swap.after, {});
  try {
    if (GraphModule* const graph = state_->graph_module())
      graph->replace(*state_->graph);
    else
      inplace::fit_options(module, state_->groups);
    if (memory) inplace::recall(*state_->optimizer, std::move(*memory));
  } catch (...) {
    for (Swap& swap : swaps) put(swap.tensor, swap.before, swap.gradient);
    if (!state_->graph_module()) inplace::fit_options(module, groups);
    throw;
  }
}

}  // namespace coppice
