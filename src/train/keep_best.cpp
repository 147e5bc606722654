#include "coppice/train/keep_best.hpp"

#include <algorithm>
#include <cmath>

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

#include "torch/module_tensors.hpp"
#include "train/archive_entries.hpp"

namespace coppice {
namespace {

std::vector<at::Tensor> tensors_alone(const torch::nn::Module& module) {
  std::vector<at::Tensor> out;
  for (const auto& entry : tensors_of(module)) out.push_back(entry.second);
  return out;
}

bool same_widths(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = a[i].sizes() == b[i].sizes();
  return same;
}

}  // namespace

void KeepBest::before_fit(Trainer& trainer) {
  if (!trainer.options().validation)
    throw Error("keep best: expected validation data to choose the best epoch by, found none");
  epoch_.reset();
  state_.clear();
  higher_is_better_ = false;
  if (metric_ == "loss") return;
  for (const Metric& metric : trainer.options().metrics)
    if (metric.name == metric_) {
      higher_is_better_ = metric.higher_is_better;
      return;
    }
  throw Error("keep best: expected a metric of the training, found \"" + metric_ + "\"");
}

void KeepBest::after_epoch(Trainer& trainer) {
  const auto& callbacks = trainer.options().callbacks;
  if (!std::all_of(callbacks.begin(), callbacks.end(),
                   [&](const auto& callback) { return callback->settled(trainer); }))
    return;
  const double value = trainer.record().validation->value(metric_);
  const std::vector<at::Tensor> now = tensors_alone(trainer.model().module());
  const bool better = higher_is_better_ ? value > value_ : value < value_;
  if (epoch_ && same_widths(now, state_) && !better && !std::isnan(value_)) return;
  epoch_ = trainer.epoch();
  value_ = value;
  state_.clear();
  for (const at::Tensor& tensor : now) state_.push_back(tensor.detach().clone());
}

void KeepBest::after_fit(Trainer& trainer) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> now = tensors_alone(trainer.model().module());
  if (!epoch_ || !same_widths(now, state_)) return;
  for (std::size_t i = 0; i < now.size(); ++i) now[i].copy_(state_[i]);
}

void KeepBest::save(torch::serialize::OutputArchive& archive) const {
  write_number(archive, "epoch", epoch_.value_or(-1));
  write_real(archive, "value", value_);
  write_tensors(archive, "tensors", state_);
}

// The widths are compared at the end of the next epoch, and at the end: now, another callback may yet have to cut.
void KeepBest::load(torch::serialize::InputArchive& archive, Trainer&) {
  const std::int64_t epoch = read_number(archive, "epoch");
  const double value = read_real(archive, "value");
  state_ = read_tensors(archive, "tensors");
  epoch_.reset();
  if (epoch >= 0) epoch_ = epoch;
  value_ = value;
}

}  // namespace coppice
