#include "torch_cli/class_accuracy.hpp"

#include <ATen/ops/bincount.h>

namespace coppice::cli {

ClassAccuracy::ClassAccuracy(std::vector<std::string> names) : names_(std::move(names)), fits_(!names_.empty()) {
  samples_ = right_ = at::zeros({static_cast<std::int64_t>(names_.size())}, at::kLong);
}

void ClassAccuracy::count(const at::Tensor& logits, const at::Tensor& target) {
  const auto classes = static_cast<std::int64_t>(names_.size());
  fits_ = fits_ && !target.is_floating_point() && target.dim() == 1 && logits.dim() == 2;
  if (!fits_) return;
  const auto by_class = [&](const at::Tensor& some) { return at::bincount(some, {}, classes).cpu(); };
  samples_ = samples_ + by_class(target);
  right_ = right_ + by_class(target.masked_select(logits.argmax(1).eq(target)));
}

Metric ClassAccuracy::counting() {
  Metric out = accuracy();
  out.mean = [this, mean = out.mean](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    at::Tensor all = mean(outputs, target);
    count(outputs.front(), target);
    return all;
  };
  return out;
}

nlohmann::ordered_json ClassAccuracy::json() const {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const auto samples = samples_[at].item<std::int64_t>(), right = right_[at].item<std::int64_t>();
    nlohmann::ordered_json& entry = out.emplace_back(nlohmann::ordered_json{{"name", names_[i]}, {"samples", samples}});
    if (samples > 0) entry["accuracy"] = static_cast<double>(right) / static_cast<double>(samples);
  }
  return out;
}

}  // namespace coppice::cli
