#include "train/statistics.hpp"

#include <set>
#include <string>

#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

#include "coppice/graph/graph.hpp"
#include "coppice/torch/graph_module.hpp"

namespace coppice {
namespace {

// Batch norms of any number of axes have no common base that is no template.
template <class Visit>
void for_each_batch_norm(torch::nn::Module& root, Visit visit) {
  const auto one = [&](torch::nn::Module& module) {
    if (auto* norm = dynamic_cast<torch::nn::BatchNorm1dImpl*>(&module)) visit(*norm);
    if (auto* norm = dynamic_cast<torch::nn::BatchNorm2dImpl*>(&module)) visit(*norm);
    if (auto* norm = dynamic_cast<torch::nn::BatchNorm3dImpl*>(&module)) visit(*norm);
  };
  one(root);
  for (const auto& module : root.modules(/*include_self=*/false)) one(*module);
}

void collect(const graph::Graph& graph, std::set<std::string>& names) {
  for (const graph::Node& node : graph.nodes) {
    if (node.is("BatchNormalization") && node.int_or("spatial", 1) != 0)
      for (const std::size_t operand : {3U, 4U})
        if (graph.constant(node.input(operand))) names.emplace(graph.name_of(node.input(operand)));
  }
}

}  // namespace

std::vector<at::Tensor> running_statistics(torch::nn::Module& root) {
  std::vector<at::Tensor> out;
  if (auto* graph = dynamic_cast<GraphModule*>(&root)) {
    std::set<std::string> names;
    collect(graph->view().graph, names);
    const auto constants = graph->constants();
    for (const std::string& name : names)
      if (const auto it = constants.find(name); it != constants.end()) out.push_back(it->second);
    return out;
  }
  for_each_batch_norm(root, [&](auto& norm) {
    if (!norm.options.track_running_stats() || !norm.running_mean.defined()) return;
    for (const at::Tensor& tensor : {norm.running_mean, norm.running_var, norm.num_batches_tracked})
      if (tensor.defined()) out.push_back(tensor);
  });
  return out;
}

Renewal::Renewal(torch::nn::Module& root) : graph_(dynamic_cast<GraphModule*>(&root)) {
  if (graph_) {
    // What was there counts nothing, but would spread if it were not finite.
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> all = running_statistics(root);
    for (at::Tensor& tensor : all) tensor.zero_();
    return;
  }
  for_each_batch_norm(root, [&](auto& norm) {
    if (!norm.options.track_running_stats() || !norm.running_mean.defined()) return;
    norm.reset_running_stats();
    norm.train();
    restore_.push_back([&norm, momentum = norm.options.momentum()] { norm.options.momentum(momentum); });
    norm.options.momentum(c10::nullopt);
  });
}

Renewal::~Renewal() {
  // The last first: a module that has two parents was visited twice.
  for (auto it = restore_.rbegin(); it != restore_.rend(); ++it) (*it)();
  if (graph_) graph_->renew_statistics({});
}

void Renewal::next() {
  ++batches_;
  if (graph_) graph_->renew_statistics(1 / static_cast<double>(batches_));
}

}  // namespace coppice
