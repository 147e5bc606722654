#include "torch/inplace/target.hpp"

#include <optional>
#include <utility>

#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/trace.hpp"

#include "torch/inplace/grouped_norms.hpp"
#include "torch/inplace/module_demands.hpp"
#include "torch/inplace/module_widths.hpp"

namespace coppice::inplace {
namespace {

class ModuleTarget : public Target {
 public:
  ModuleTarget(Callable model, std::vector<at::Tensor> inputs) : model_(std::move(model)), inputs_(std::move(inputs)) {}

  graph::Model graph() override { return trace(model_, inputs_); }

  std::map<std::string, at::Tensor> tensors() override {
    std::map<std::string, at::Tensor> out;
    for (const auto& item : model_.module().named_parameters()) out.emplace(item.key(), item.value());
    for (const auto& item : model_.module().named_buffers()) out.emplace(item.key(), item.value());
    return out;
  }

  coupling::Demands demands(const graph::Graph& graph) override { return module_demands(model_.module(), graph); }

  void follow(const graph::Model& cut) override {
    before_ = groups_of(model_.module());
    Groups groups;
    for (const graph::Node& node : cut.graph.nodes)
      if (node.is("Conv") || node.is("ConvTranspose"))
        groups[std::string(cut.graph.name_of(node.input(1)))] = node.int_or("group", 1);
    for (const GroupedNorm& norm : grouped_norms(cut.graph)) groups[norm.weight] = norm.groups;
    fit_options(model_.module(), groups);
  }

  void go_back() override { fit_options(model_.module(), before_); }

 private:
  Callable model_;
  std::vector<at::Tensor> inputs_;
  Groups before_;
};

class GraphTarget : public Target {
 public:
  explicit GraphTarget(GraphModule& module) : module_(module) {}

  graph::Model graph() override { return module_.view(); }
  std::map<std::string, at::Tensor> tensors() override { return module_.constants(); }
  coupling::Demands demands(const graph::Graph&) override { return {}; }
  void follow(const graph::Model& cut) override { before_ = module_.replace(cut); }
  void go_back() override {
    if (before_) module_.replace(*std::exchange(before_, std::nullopt));
  }

 private:
  GraphModule& module_;
  std::optional<graph::Model> before_;
};

}  // namespace

std::unique_ptr<Target> make_target(const Callable& model, const std::vector<at::Tensor>& example_inputs) {
  if (auto* module = dynamic_cast<GraphModule*>(&model.module())) return std::make_unique<GraphTarget>(*module);
  return std::make_unique<ModuleTarget>(model, example_inputs);
}

}  // namespace coppice::inplace
