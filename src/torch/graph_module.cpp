#include "coppice/torch/graph_module.hpp"

#include <algorithm>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/graph/parameters.hpp"
#include "coppice/graph/passes.hpp"
#include "coppice/graph/untie.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/executor/program.hpp"
#include "torch/messages.hpp"

namespace coppice {
namespace {

using executor::Program;
using graph::ValueId;

struct Place {
  torch::nn::Module* owner = nullptr;
  std::string name;
};

// The submodule that owns "a.b.c", made as needed.
Place place_of(torch::nn::Module& root, std::string name) {
  const bool empty_part =
      name.empty() || name.front() == '.' || name.back() == '.' || name.find("..") != std::string::npos;
  if (empty_part) {
    std::replace(name.begin(), name.end(), '.', '_');
    return {&root, name.empty() ? "_" : name};
  }
  torch::nn::Module* owner = &root;
  std::size_t begin = 0;
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', begin)) {
    const std::string part = name.substr(begin, dot - begin);
    const auto children = owner->named_children();
    const auto* child = children.find(part);
    owner = child ? child->get() : owner->register_module(part, std::make_shared<torch::nn::Module>(part)).get();
    begin = dot + 1;
  }
  return {owner, name.substr(begin)};
}

std::string describe(at::ScalarType type, at::IntArrayRef sizes) {
  return std::string(tensor::name(element_type(type))) + " " + shape_text(sizes);
}

std::string describe(const graph::Value& value) {
  std::string out = value.dtype == tensor::DType::undefined ? "any type" : std::string(tensor::name(value.dtype));
  if (!value.shape) return out;
  std::string extents;
  for (const graph::Dim& dim : *value.shape) {
    if (!extents.empty()) extents += "x";
    extents += dim.size >= 0 ? std::to_string(dim.size) : dim.param.empty() ? "?" : dim.param;
  }
  return out + " " + (extents.empty() ? "scalar" : extents);
}

bool fits(const graph::Value& value, const at::Tensor& tensor, bool any_real) {
  if (value.dtype != tensor::DType::undefined && scalar_type(value.dtype) != tensor.scalar_type() &&
      !(any_real && is_real(value.dtype) && at::isFloatingType(tensor.scalar_type())))
    return false;
  if (!value.shape) return true;
  if (static_cast<std::size_t>(tensor.dim()) != value.shape->size()) return false;
  for (std::size_t k = 0; k < value.shape->size(); ++k)
    if ((*value.shape)[k].size >= 0 && (*value.shape)[k].size != tensor.size(static_cast<std::int64_t>(k)))
      return false;
  return true;
}

}  // namespace

struct GraphModule::State {
  graph::Model model;
  std::vector<graph::UntiedUse> untied;
  executor::Context context;
  std::unique_ptr<Program> program;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, at::Tensor> constants;  ///< Parameters and buffers of the outermost graph.
  std::vector<at::Tensor> others;               ///< Whole numbers, and the constants of subgraphs.
  int next_observer = 0;
  bool converted = false;  ///< The weights' type is no longer the model's.
};

GraphModule::GraphModule(graph::Model model) : torch::nn::Module("GraphModule"), state_(std::make_unique<State>()) {
  state_->model = std::move(model);
  graph::inline_functions(state_->model);
  state_->model.graph.sort();
  state_->untied = graph::untie(state_->model.graph);
  build(*state_);
  eval();
}

// Compiles the model; constants that are there already are taken over.
void GraphModule::build(State& state) {
  const graph::Graph& graph = state.model.graph;
  const std::vector<graph::Role> roles = graph::constant_roles(graph);
  const auto load = [&](const graph::Graph& from, ValueId value, int depth) {
    const tensor::Tensor& constant = *from.constant(value);
    const std::string name(from.name_of(value));
    if (depth > 0 || !is_real(constant.dtype)) {
      state.others.push_back(to_torch(constant));
      return state.others.back();
    }
    if (const auto it = state.constants.find(name); it != state.constants.end()) {
      if (it->second.sizes() != at::IntArrayRef(constant.shape))
        throw Error("constant \"" + name + "\": expected shape " + tensor::to_string(constant.shape) + ", found " +
                    describe(it->second.scalar_type(), it->second.sizes()));
      return it->second;
    }
    const Place place = place_of(*this, name);
    const bool parameter = graph::is_parameter(roles[at(value)]);
    at::Tensor& tensor = parameter ? place.owner->register_parameter(place.name, to_torch(constant))
                                   : place.owner->register_buffer(place.name, to_torch(constant));
    return state.constants[name] = tensor;
  };
  state.program = std::make_unique<Program>(state.model, graph, load);
  for (const ValueId input : state.program->inputs()) state.inputs.emplace_back(graph.name_of(input));
  for (const ValueId output : graph.outputs) state.outputs.emplace_back(graph.name_of(output));
}

graph::Model GraphModule::replace(graph::Model model) {
  State next;
  next.model = std::move(model);
  next.context = state_->context;
  next.constants = state_->constants;
  next.next_observer = state_->next_observer;
  next.converted = state_->converted;
  build(next);
  std::swap(*state_, next);
  if (!state_->constants.empty()) {
    const at::Device device = state_->constants.begin()->second.device();
    for (at::Tensor& tensor : state_->others) tensor.set_data(tensor.to(device));
  }
  return std::move(next.model);
}

GraphModule::~GraphModule() = default;

std::vector<at::Tensor> GraphModule::run(std::vector<at::Tensor> inputs) {
  State& state = *state_;
  const auto ids = state.program->inputs();
  if (inputs.size() != ids.size())
    throw Error("expected " + std::to_string(ids.size()) + " inputs, found " + std::to_string(inputs.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const graph::Value& value = state.model.graph.values[at(ids[i])];
    if (!inputs[i].defined()) throw Error("input \"" + value.name + "\" is missing");
    if (!fits(value, inputs[i], state.converted))
      throw Error("input \"" + value.name + "\": expected " + describe(value) + ", found " +
                  describe(inputs[i].scalar_type(), inputs[i].sizes()));
  }
  state.context.training = is_training();
  return state.program->run(state.context, nullptr, std::move(inputs));
}

at::Tensor GraphModule::forward(at::Tensor input) {
  std::vector<at::Tensor> inputs;
  inputs.push_back(std::move(input));
  return run(std::move(inputs)).at(0);
}

const std::vector<std::string>& GraphModule::input_names() const {
  return state_->inputs;
}

const std::vector<std::string>& GraphModule::output_names() const {
  return state_->outputs;
}

std::map<std::string, at::Tensor> GraphModule::constants() const {
  return state_->constants;
}

int GraphModule::observe(std::string_view value, Observer observer) {
  const graph::Graph& graph = state_->model.graph;
  if (graph.find(value) == graph::no_value) {
    std::vector<std::string_view> names;
    for (const graph::Value& candidate : graph.values) names.push_back(candidate.name);
    throw Error("no value is named \"" + std::string(value) + "\"; nearest: " + base::nearest_list(value, names));
  }
  state_->context.observers[std::string(value)].emplace_back(state_->next_observer, std::move(observer));
  return state_->next_observer++;
}

void GraphModule::forget(int id) {
  auto& observers = state_->context.observers;
  for (auto it = observers.begin(); it != observers.end();) {
    std::erase_if(it->second, [&](const auto& entry) { return entry.first == id; });
    it = it->second.empty() ? observers.erase(it) : std::next(it);
  }
}

void GraphModule::renew_statistics(std::optional<double> share) {
  state_->context.renewal = share;
}

graph::Model GraphModule::model() const {
  graph::Model out = state_->model;
  for (const auto& [name, tensor] : state_->constants) {
    const ValueId value = out.graph.find(name);
    const tensor::Tensor* constant = value == graph::no_value ? nullptr : out.graph.constant(value);
    if (!constant) continue;  // of a graph that was replaced
    out.graph.set_constant(value, to_coppice(tensor.detach().to(at::kCPU, scalar_type(constant->dtype), false, true)));
  }
  graph::retie(out.graph, state_->untied);
  return out;
}

graph::Model GraphModule::view() const {
  graph::Model out = state_->model;
  for (const auto& [name, tensor] : state_->constants) {
    const ValueId value = out.graph.find(name);
    if (value != graph::no_value && out.graph.constant(value)) out.graph.set_constant(value, to_coppice(tensor));
  }
  return out;
}

void GraphModule::to(torch::Device device, torch::Dtype dtype, bool non_blocking) {
  to(device, non_blocking);
  to(dtype, non_blocking);
}

void GraphModule::to(torch::Dtype dtype, bool non_blocking) {
  torch::nn::Module::to(dtype, non_blocking);
  for (at::Tensor& tensor : state_->others)
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(dtype, non_blocking));
  state_->converted = true;
}

void GraphModule::to(torch::Device device, bool non_blocking) {
  torch::nn::Module::to(device, non_blocking);
  for (at::Tensor& tensor : state_->others) tensor.set_data(tensor.to(device, non_blocking));
}

}  // namespace coppice
