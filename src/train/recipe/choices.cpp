#include "train/recipe/choices.hpp"

#include <charconv>

#include "coppice/base/error.hpp"

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
  return recipe.recover.epochs > 0 ? recipe.recover : recipe.prune.training;
}

Metric make_metric(const std::string& name) {
  if (name == "accuracy") return accuracy();
  int k = 0;
  if (name.starts_with("top")) {
    const auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), k);
    if (error == std::errc() && end == name.data() + name.size() && k > 0) return top_k(k);
  }
  throw Error("metric: expected accuracy, or top5 and the like, found \"" + name + "\"");
}

}  // namespace coppice::recipe
