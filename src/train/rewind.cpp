#include "coppice/train/rewind.hpp"

#include <sstream>

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"

#include "torch/inplace/optimizer_state.hpp"
#include "torch/inplace/target.hpp"
#include "torch/messages.hpp"
#include "train/archive_entries.hpp"
#include "train/planned_cut.hpp"

namespace coppice {

RewindPoint::RewindPoint(std::int64_t epoch) : epoch_(epoch) {
  if (epoch < 0) throw Error("rewind point: expected an epoch of 0 or more, found " + std::to_string(epoch));
}

void RewindPoint::before_epoch(Trainer& trainer) {
  if (trainer.epoch() != epoch_) return;
  ticket_ = take_ticket(trainer.model(), epoch_);
  torch::serialize::OutputArchive archive;
  trainer.optimizer().save(archive);
  std::ostringstream bytes;
  archive.save_to(bytes);
  optimizer_ = bytes.str();
}

const Ticket& RewindPoint::ticket() const {
  if (!ticket_) throw Error("rewind point: expected a training that began epoch " + std::to_string(epoch_));
  return *ticket_;
}

void RewindPoint::restore(const Callable& model, torch::optim::Optimizer& optimizer, const pruning::Plan& plan) const {
  ticket();
  std::vector<double> rates;  // the archive has those of then, and the schedule is to set them
  for (auto& group : optimizer.param_groups()) rates.push_back(group.options().get_lr());
  try {
    torch::serialize::InputArchive archive;
    std::istringstream bytes(optimizer_);
    archive.load_from(bytes);
    optimizer.state().clear();  // load() leaves what the archive does not have
    optimizer.load(archive);
    for (const auto& [name, tensor] : inplace::make_target(model, {})->tensors()) {
      for (at::Tensor* const state : inplace::state_tensors(optimizer, tensor)) {
        if (!state->defined()) continue;
        *state = planned_cut(plan, name, *state);
        if (state->sizes() != tensor.sizes())
          throw Error("\"" + name + "\": expected " + shape_text(tensor.sizes()) + ", found " +
                      shape_text(state->sizes()));
      }
    }
  } catch (const std::exception& error) {
    optimizer.state().clear();
    throw Error("rewind point: optimizer: " + first_line(error.what()));
  }
  for (std::size_t i = 0; i < rates.size(); ++i) optimizer.param_groups()[i].options().set_lr(rates[i]);
}

void RewindPoint::save(torch::serialize::OutputArchive& archive) const {
  write_number(archive, "reached", reached() ? 1 : 0);
  if (!reached()) return;
  write_named(archive, "weights", ticket_->weights);
  archive.write("optimizer", at::from_blob(const_cast<char*>(optimizer_.data()),
                                           {static_cast<std::int64_t>(optimizer_.size())}, at::kByte)
                                 .clone());
}

void RewindPoint::load(torch::serialize::InputArchive& archive, Trainer&) {
  ticket_.reset();
  if (read_number(archive, "reached") == 0) return;
  at::Tensor bytes;
  archive.read("optimizer", bytes);
  if (bytes.scalar_type() != at::kByte) throw Error("rewind point: expected the bytes of an optimizer");
  bytes = bytes.to(at::kCPU).contiguous();
  optimizer_.assign(static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel()));
  ticket_ = Ticket{epoch_, read_named(archive, "weights")};
}

namespace {

// The share of the way at which an epoch begins.
double share_of_way(const TrainerOptions& options, std::int64_t epoch) {
  const LearningRate& rate = options.learning_rate;
  return rate.start + (rate.end - rate.start) * static_cast<double>(epoch) / static_cast<double>(options.epochs);
}

void expect_epoch(const TrainerOptions& options, std::int64_t epoch, std::int64_t first) {
  if (options.steps) throw Error("rewinding: expected a training in epochs, found one in steps");
  const std::int64_t last = options.epochs + first - 1;
  if (epoch < first || epoch > last)
    throw Error("rewinding: expected an epoch from " + std::to_string(first) + " to " + std::to_string(last) +
                ", found " + std::to_string(epoch));
}

}  // namespace

TrainerOptions rewound(TrainerOptions options, std::int64_t epoch) {
  expect_epoch(options, epoch, 0);
  options.learning_rate.start = share_of_way(options, epoch);
  options.epochs -= epoch;
  return options;
}

TrainerOptions up_to(TrainerOptions options, std::int64_t epoch) {
  expect_epoch(options, epoch, 1);
  options.learning_rate.end = share_of_way(options, epoch);
  options.epochs = epoch;
  return options;
}

}  // namespace coppice
