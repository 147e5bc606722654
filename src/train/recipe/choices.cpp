#include "train/recipe/choices.hpp"

#include <charconv>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/distillation.hpp"

namespace coppice::recipe {

Loss make_loss(const std::string& name, double label_smoothing) {
  if (name == "cross-entropy") return cross_entropy(label_smoothing);
  if (label_smoothing != 0) throw Error("label smoothing: expected the loss cross-entropy, found \"" + name + "\"");
  if (name == "mse") return mse();
  if (name == "binary-cross-entropy") return binary_cross_entropy();
  throw Error("loss: expected cross-entropy, mse or binary-cross-entropy, found \"" + name + "\"");
}

const Training& main_training(const Recipe& recipe) {
  if (recipe.train.epochs > 0) return recipe.train;
  if (recipe.recover.epochs > 0) return recipe.recover;
  return recipe.sparsify ? recipe.sparsify->training : recipe.prune.training;
}

Metric make_metric(const std::string& name) {
  if (name == "accuracy") return accuracy();
  if (name == "perplexity") return perplexity();
  int k = 0;
  if (name.starts_with("top")) {
    const auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), k);
    if (error == std::errc() && end == name.data() + name.size() && k > 0) return top_k(k);
  }
  throw Error("metric: expected accuracy, perplexity, or top5 and the like, found \"" + name + "\"");
}

bool is_share(std::string_view metric) {
  return metric != "perplexity";
}

std::vector<Metric> make_metrics(const std::vector<std::string>& names) {
  std::vector<Metric> out;
  for (const std::string& name : names) out.push_back(make_metric(name));
  return out;
}

std::shared_ptr<Callback> distil_from(const std::string& teacher, const Distillation& options, at::Device device) {
  const auto module = std::make_shared<GraphModule>(formats::read_onnx(teacher));
  module->to(device);
  return std::make_shared<DistillationCallback>(DistillationOptions{
      .teacher = Callable(module), .kind = options.kind, .temperature = options.temperature, .alpha = options.alpha});
}

}  // namespace coppice::recipe
