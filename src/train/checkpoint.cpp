#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

#include "torch/messages.hpp"
#include "torch/save_archive.hpp"
#include "train/archive_entries.hpp"
#include "train/generators.hpp"

// Checkpoints of a training: an archive of libtorch.
namespace coppice {
namespace {

using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

constexpr std::int64_t version = 3;

template <class Number>
void expect(const char* what, Number expected, Number found) {
  if (expected != found)
    throw Error(std::string("of another training: expected ") + what + " " + std::to_string(expected) + ", found " +
                std::to_string(found));
}

}  // namespace

void Trainer::save(const std::string& path) const {
  if (!begun_) throw Error(path + ": expected a training that has begun, found one before fit()");
  if (next_batch_ % options_.accumulate != 0 && next_batch_ != batches_)
    throw Error(path + ": expected a place between two steps, found batch " +
                std::to_string(next_batch_ % options_.accumulate) + " of " + std::to_string(options_.accumulate) +
                " of one");
  OutputArchive archive;
  write_number(archive, "version", version);
  write_number(archive, "seed", static_cast<std::int64_t>(options_.seed));
  write_number(archive, "steps_in_all", steps_);
  write_number(archive, "batches", batches_);
  write_number(archive, "accumulate", options_.accumulate);
  write_real(archive, "clip_norm", options_.clip_norm);
  write_real(archive, "rate", base_rates_.front());
  write_text(archive, "rate_schedule", std::string(to_string(options_.learning_rate.schedule)));
  write_number(archive, "epoch", epoch_);
  write_number(archive, "next_batch", next_batch_);
  write_number(archive, "step", step_);
  write_number(archive, "samples", samples_);
  archive.write("sums", at::tensor({loss_sum_, seconds_}, at::kDouble));
  archive.write("history", c10::IValue(history_.json()));
  archive.write("record", c10::IValue(History{{record_}}.json()));
  write_model(archive, "model", model_.module());
  write_tensors(archive, "generators", generator_states(model_.module()));
  OutputArchive state;
  optimizer_.save(state);
  archive.write("optimizer", state);
  write_number(archive, "callbacks", static_cast<std::int64_t>(options_.callbacks.size()));
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    OutputArchive callback;
    options_.callbacks[i]->save(callback);
    archive.write("callback" + std::to_string(i), callback);
  }
  save_archive(archive, path);
}

void Trainer::resume(const std::string& path) {
  begin();
  try {
    InputArchive archive;
    archive.load_from(path);
    expect("version", version, read_number(archive, "version"));
    expect("a seed of", static_cast<std::int64_t>(options_.seed), read_number(archive, "seed"));
    expect("steps", steps_, read_number(archive, "steps_in_all"));
    expect("batches", batches_, read_number(archive, "batches"));
    expect("batches a step", options_.accumulate, read_number(archive, "accumulate"));
    expect("a clip norm of", options_.clip_norm, read_real(archive, "clip_norm"));
    expect("a learning rate of", base_rates_.front(), read_real(archive, "rate"));
    if (const std::string schedule(to_string(options_.learning_rate.schedule)),
        found = read_text(archive, "rate_schedule");
        schedule != found)
      throw Error("of another training: expected the rate schedule " + schedule + ", found " + found);
    expect("callbacks", static_cast<std::int64_t>(options_.callbacks.size()), read_number(archive, "callbacks"));
    History history = History::parse(read_text(archive, "history"));
    History record = History::parse(read_text(archive, "record"));
    at::Tensor sums;
    archive.read("sums", sums);
    if (record.epochs.size() != 1 || sums.numel() != 2 || sums.scalar_type() != at::kDouble)
      throw Error("expected the sums of an epoch, found something else");
    for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
      InputArchive callback;
      archive.read("callback" + std::to_string(i), callback);
      options_.callbacks[i]->load(callback, *this);
    }
    read_model(archive, "model", model_.module());
    InputArchive state;
    archive.read("optimizer", state);
    optimizer_.load(state);
    generator_states_ = read_tensors(archive, "generators");
    epoch_ = read_number(archive, "epoch");
    next_batch_ = read_number(archive, "next_batch");
    step_ = read_number(archive, "step");
    samples_ = read_number(archive, "samples");
    const double* const numbers = sums.data_ptr<double>();
    loss_sum_ = numbers[0];
    seconds_ = numbers[1];
    record_ = std::move(record.epochs.front());
    history_ = std::move(history);
    stopping_ = false;
  } catch (const std::exception& error) {
    throw Error(path + ": " + first_line(error.what()));
  }
}

}  // namespace coppice
