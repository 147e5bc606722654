#include "coppice/train/keep_best.hpp"

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

namespace coppice {
namespace {

constexpr const char *epoch_key = "epoch", *value_key = "value", *size_key = "size";

std::vector<at::Tensor> tensors_of(const torch::nn::Module& module) {
  std::vector<at::Tensor> out = module.parameters();
  for (at::Tensor& buffer : module.buffers()) out.push_back(std::move(buffer));
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
  const double value = trainer.record().validation->value(metric_);
  const std::vector<at::Tensor> now = tensors_of(trainer.model().module());
  if (epoch_ && same_widths(now, state_) && !(higher_is_better_ ? value > value_ : value < value_)) return;
  epoch_ = trainer.epoch();
  value_ = value;
  state_.clear();
  for (const at::Tensor& tensor : now) state_.push_back(tensor.detach().clone());
}

void KeepBest::after_fit(Trainer& trainer) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> now = tensors_of(trainer.model().module());
  if (!epoch_ || !same_widths(now, state_)) return;
  for (std::size_t i = 0; i < now.size(); ++i) now[i].copy_(state_[i]);
}

void KeepBest::save(torch::serialize::OutputArchive& archive) const {
  archive.write(epoch_key, c10::IValue(epoch_.value_or(-1)));
  archive.write(value_key, c10::IValue(value_));
  archive.write(size_key, c10::IValue(static_cast<std::int64_t>(state_.size())));
  for (std::size_t i = 0; i < state_.size(); ++i) archive.write("tensor" + std::to_string(i), state_[i]);
}

// The widths are compared at the end of the next epoch, and at the end: now, another callback may yet have to cut.
void KeepBest::load(torch::serialize::InputArchive& archive, Trainer&) {
  c10::IValue epoch, value, size;
  archive.read(epoch_key, epoch);
  archive.read(value_key, value);
  archive.read(size_key, size);
  if (!epoch.isInt() || !value.isDouble() || !size.isInt())
    throw Error("keep best: expected an epoch, its value and its tensors, found something else");
  std::vector<at::Tensor> state;
  for (std::int64_t i = 0; i < size.toInt(); ++i) archive.read("tensor" + std::to_string(i), state.emplace_back());
  epoch_.reset();
  if (epoch.toInt() >= 0) epoch_ = epoch.toInt();
  value_ = value.toDouble();
  state_ = std::move(state);
}

}  // namespace coppice
