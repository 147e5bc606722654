#include "coppice/train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>

#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/optimizer.h>

#include "coppice/base/error.hpp"

#include "torch/scoring/batches.hpp"
#include "train/autocast.hpp"
#include "train/batches.hpp"
#include "train/device.hpp"
#include "train/generators.hpp"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

void expect_least(const char* what, std::int64_t least, std::int64_t found) {
  if (found < least)
    throw Error(std::string(what) + ": expected " + std::to_string(least) + " or more, found " + std::to_string(found));
}

}  // namespace

Trainer::Trainer(Callable model, torch::optim::Optimizer& optimizer, BatchSource data, TrainerOptions options)
    : model_(std::move(model)), optimizer_(optimizer), data_(std::move(data)), options_(std::move(options)) {
  expect_least("epochs", 1, options_.epochs);
  expect_least("accumulate", 1, options_.accumulate);
  expect_least("checkpoint steps", 0, options_.checkpoint_steps);
  if (options_.steps) expect_least("steps", 1, *options_.steps);
  if (!(options_.clip_norm >= 0))
    throw Error("clip norm: expected 0 or more, found " + std::to_string(options_.clip_norm));
  if (!options_.loss) throw Error("training: expected a loss, found none");
  if (options_.checkpoint_steps > 0 && options_.checkpoint.empty())
    throw Error("checkpoint: expected a file to save to every " + std::to_string(options_.checkpoint_steps) +
                " steps, found none");
  for (const auto& callback : options_.callbacks)
    if (!callback) throw Error("callbacks: expected callbacks, found an empty pointer");
  options_.learning_rate.factor(0, 1);
  for (auto& group : optimizer_.param_groups()) {
    base_rates_.push_back(group.options().get_lr());
    parameters_.insert(parameters_.end(), group.params().begin(), group.params().end());
  }
  if (parameters_.empty()) throw Error("optimizer: expected parameters, found none");
}

Trainer::~Trainer() = default;

template <class Moment>
void Trainer::tell(Moment moment) {
  for (const auto& callback : options_.callbacks) ((*callback).*moment)(*this);
}

void Trainer::announce_cut(const Pruner& pruner) {
  for (const auto& callback : options_.callbacks) callback->after_cut(*this, pruner);
}

// What is known only now: the length of the data.
void Trainer::begin() {
  if (begun_) return;
  if (!data_) throw Error("training: expected data, found none");
  seed_generators(model_.module(), options_.seed, 0);
  batches_ = count_batches(data_);
  expect_least("training: batches", 1, batches_);
  steps_per_epoch_ = (batches_ + options_.accumulate - 1) / options_.accumulate;
  steps_ = options_.steps ? *options_.steps : options_.epochs * steps_per_epoch_;
  epochs_ = (steps_ + steps_per_epoch_ - 1) / steps_per_epoch_;
  tell(&Callback::before_fit);
  begun_ = true;
}

std::vector<at::Tensor> Trainer::example_inputs() const {
  return first_sample(data_, device_of(model_.module()), "training data");
}

// The optimizer has its own rates back where a fit ends: another training begins with them.
struct Trainer::OwnRates {
  explicit OwnRates(Trainer& owner) : trainer(owner) {}
  ~OwnRates() {
    auto& groups = trainer.optimizer_.param_groups();
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i].options().set_lr(trainer.base_rates_[i]);
  }
  Trainer& trainer;
};

const History& Trainer::fit() {
  begin();
  if (epoch_ == epochs_) return history_;
  const OwnRates rates(*this);
  stopping_ = false;
  while (epoch_ < epochs_ && !stopping_) run_epoch();
  if (epoch_ == epochs_) {
    stopping_ = false;  // too late
    tell(&Callback::after_fit);
    return history_;
  }
  generator_states_ = generator_states(model_.module());
  if (!options_.checkpoint.empty()) save(options_.checkpoint);
  return history_;
}

void Trainer::run_epoch() {
  const auto start = Clock::now();
  const bool goes_on = next_batch_ > 0;
  model_.module().train();
  seed_generators(model_.module(), options_.seed, epoch_);
  if (!goes_on) {
    record_ = {.epoch = epoch_};
    loss_sum_ = 0;
    samples_ = 0;
    seconds_ = 0;
    optimizer_.zero_grad();
    tell(&Callback::before_epoch);
  }
  if (options_.progress)
    options_.progress->begin("epoch " + std::to_string(epoch_ + 1) + " of " + std::to_string(epochs_),
                             static_cast<std::uint64_t>(batches_));
  bool restored = !goes_on;
  const at::Device device = device_of(model_.module());
  if (step_ < steps_ && next_batch_ < batches_)  // a checkpoint may be of an epoch whose end alone is left
    data_.for_each(
        [&](Batch batch) {
          // Only now: what draws the order of the data has drawn it again.
          if (!restored) set_generators(model_.module(), generator_states_);
          restored = true;
          const std::string where =
              "epoch " + std::to_string(epoch_ + 1) + ", batch " + std::to_string(next_batch_ + 1);
          scoring::guarded(where, [&] { run_batch(std::move(batch), device); });
          const bool between_steps = next_batch_ % options_.accumulate == 0 || next_batch_ == batches_;
          return !(stopping_ && between_steps) && step_ < steps_ && next_batch_ < batches_;
        },
        epoch_, next_batch_);
  if (options_.progress) options_.progress->end();
  seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  if (stopping_ && step_ < steps_ && next_batch_ < batches_) return;
  if (step_ < steps_ && next_batch_ < batches_)
    throw Error("training data: expected " + std::to_string(batches_) + " batches an epoch, found " +
                std::to_string(next_batch_));
  end_epoch();
}

void Trainer::run_batch(Batch batch, at::Device device) {
  const std::int64_t samples = scoring::samples_of(batch, true, "training data");
  scoring::move_to(batch, device);
  batch_ = std::move(batch);
  tell(&Callback::before_batch);
  {
    const Autocast autocast(options_.precision, device);
    outputs_ = model_(batch_.inputs);
  }
  if (options_.precision != Precision::float32) outputs_ = at_full_precision(std::move(outputs_));
  loss_ = options_.loss(outputs_, batch_.target);
  tell(&Callback::after_loss);
  const auto value = loss_.item<double>();
  if (!std::isfinite(value))
    throw Error(std::string("loss: expected a finite number, found ") + (std::isnan(value) ? "NaN" : "infinity"));
  // The last group of an epoch may be smaller.
  const std::int64_t group = next_batch_ - next_batch_ % options_.accumulate;
  const std::int64_t together = std::min(options_.accumulate, batches_ - group);
  (together > 1 ? loss_ / static_cast<double>(together) : loss_).backward();
  loss_sum_ += value * static_cast<double>(samples);
  samples_ += samples;
  tell(&Callback::after_backward);
  ++next_batch_;
  const bool steps_now = next_batch_ == group + together;
  if (steps_now) take_step();
  if (options_.progress) {
    options_.progress->advance(static_cast<std::uint64_t>(next_batch_));
    char words[32];
    std::snprintf(words, sizeof words, "loss %.4g", loss_sum_ / static_cast<double>(samples_));
    options_.progress->note(words);
  }
  tell(&Callback::after_batch);
  outputs_.clear();
  loss_.reset();
  if (steps_now && options_.checkpoint_steps > 0 && step_ % options_.checkpoint_steps == 0) save(options_.checkpoint);
}

void Trainer::set_rate() {
  const double factor = options_.learning_rate.factor(step_, steps_);
  auto& groups = optimizer_.param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i].options().set_lr(base_rates_[i] * factor);
  record_.learning_rate = groups.front().options().get_lr();
}

void Trainer::take_step() {
  set_rate();
  if (options_.clip_norm > 0) torch::nn::utils::clip_grad_norm_(parameters_, options_.clip_norm);
  tell(&Callback::before_step);
  optimizer_.step();
  ++step_;
  tell(&Callback::after_step);
  optimizer_.zero_grad();
}

void Trainer::end_epoch() {
  const auto start = Clock::now();
  record_.step = step_;
  record_.training_loss = loss_sum_ / static_cast<double>(samples_);
  batch_ = {};
  if (options_.validation) record_.validation = evaluate(model_, options_.validation, options_.loss, options_.metrics);
  tell(&Callback::after_epoch);
  record_.seconds = seconds_ + std::chrono::duration<double>(Clock::now() - start).count();
  history_.epochs.push_back(record_);
  ++epoch_;
  next_batch_ = 0;
  if (options_.on_epoch) options_.on_epoch(history_.epochs.back());
}

}  // namespace coppice
