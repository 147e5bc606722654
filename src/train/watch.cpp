#include "train/watch.hpp"

#include <utility>

#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/tap.hpp"

namespace coppice {
namespace {

TapImpl& find_tap(torch::nn::Module& root, const std::string& name) {
  std::vector<std::string> paths;
  const auto modules = root.named_modules(std::string(), /*include_self=*/false);
  for (const auto& item : modules) {
    auto* const tap = dynamic_cast<TapImpl*>(item.value().get());
    if (tap && item.key() == name) return *tap;
    if (tap) paths.push_back(item.key());
  }
  if (paths.empty())
    throw Error("activation \"" + name +
                "\": expected a GraphModule, or a module with a Tap of this name; it has no Tap");
  const std::vector<std::string_view> views(paths.begin(), paths.end());
  throw Error("activation: no Tap is named \"" + name + "\"; nearest: " + base::nearest_list(name, views));
}

}  // namespace

Watch::Watch(const Callable& model, std::vector<std::string> names)
    : model_(model), names_(std::move(names)), seen_(std::make_shared<std::vector<at::Tensor>>(names_.size())) {
  auto* const graph = dynamic_cast<GraphModule*>(&model_.module());
  // All names first: what throws must leave no observer behind.
  std::vector<TapImpl*> taps;
  for (const std::string& name : names_) {
    if (graph)
      graph->forget(graph->observe(name, [](at::Tensor&) {}));
    else
      taps.push_back(&find_tap(model_.module(), name));
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto keep = [seen = seen_, i](at::Tensor& value) { (*seen)[i] = value; };
    if (graph) {
      forget_.push_back([graph, id = graph->observe(names_[i], keep)] { graph->forget(id); });
    } else {
      forget_.push_back([tap = taps[i], id = taps[i]->observe(keep)] { tap->forget(id); });
    }
  }
}

Watch::~Watch() {
  for (const auto& forget : forget_) forget();
}

std::vector<at::Tensor> Watch::seen() const {
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (!(*seen_)[i].defined()) throw Error("activation \"" + names_[i] + "\": the model did not compute it");
  return *seen_;
}

}  // namespace coppice
