#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

#include "torch/messages.hpp"
#include "train/generators.hpp"

// Checkpoints of a training: an archive of libtorch.
namespace coppice {
namespace {

using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

constexpr std::int64_t version = 1;

void write(OutputArchive& archive, const std::string& key, std::int64_t value) {
  archive.write(key, c10::IValue(value));
}

std::int64_t read_number(InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  if (!value.isInt()) throw Error("\"" + key + "\": expected a whole number");
  return value.toInt();
}

std::string read_text(InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  if (!value.isString()) throw Error("\"" + key + "\": expected a text");
  return value.toStringRef();
}

void write(OutputArchive& archive, const std::string& key, const std::vector<at::Tensor>& tensors) {
  OutputArchive list;
  write(list, "size", static_cast<std::int64_t>(tensors.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) list.write("tensor" + std::to_string(i), tensors[i]);
  archive.write(key, list);
}

std::vector<at::Tensor> read_tensors(InputArchive& archive, const std::string& key) {
  InputArchive list;
  archive.read(key, list);
  std::vector<at::Tensor> out;
  const std::int64_t size = read_number(list, "size");
  for (std::int64_t i = 0; i < size; ++i) list.read("tensor" + std::to_string(i), out.emplace_back());
  return out;
}

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

Tensors tensors_of(const torch::nn::Module& module) {
  Tensors out;
  for (const auto& item : module.named_parameters()) out.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) out.emplace_back(item.key(), item.value());
  return out;
}

void expect(const char* what, std::int64_t expected, std::int64_t found) {
  if (expected != found)
    throw Error(std::string("of another training: expected ") + what + " " + std::to_string(expected) + ", found " +
                std::to_string(found));
}

void load_tensors(const Tensors& into, const std::vector<at::Tensor>& from) {
  const at::NoGradGuard no_gradients;
  expect("tensors", static_cast<std::int64_t>(into.size()), static_cast<std::int64_t>(from.size()));
  for (std::size_t i = 0; i < into.size(); ++i)
    if (into[i].second.sizes() != from[i].sizes() || into[i].second.scalar_type() != from[i].scalar_type())
      throw Error("of another model: \"" + into[i].first + "\": expected " + shape_text(into[i].second.sizes()) +
                  ", found " + shape_text(from[i].sizes()));
  for (std::size_t i = 0; i < into.size(); ++i) {
    at::Tensor tensor = into[i].second;
    tensor.copy_(from[i]);
  }
}

}  // namespace

void Trainer::save(const std::string& path) const {
  OutputArchive archive;
  write(archive, "version", version);
  write(archive, "seed", static_cast<std::int64_t>(options_.seed));
  write(archive, "steps_in_all", steps_);
  write(archive, "batches", batches_);
  write(archive, "epoch", epoch_);
  write(archive, "next_batch", next_batch_);
  write(archive, "step", step_);
  write(archive, "samples", samples_);
  archive.write("sums", at::tensor({loss_sum_, seconds_, record_.learning_rate}, at::kDouble));
  archive.write("history", c10::IValue(history_.json()));
  archive.write("record", c10::IValue(History{{record_}}.json()));
  std::vector<at::Tensor> tensors;
  for (const auto& entry : tensors_of(model_.module())) tensors.push_back(entry.second.detach());
  write(archive, "model", tensors);
  write(archive, "generators", generator_states(model_.module()));
  OutputArchive state;
  optimizer_.save(state);
  archive.write("optimizer", state);
  write(archive, "callbacks", static_cast<std::int64_t>(options_.callbacks.size()));
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    OutputArchive callback;
    options_.callbacks[i]->save(callback);
    archive.write("callback" + std::to_string(i), callback);
  }
  base::AtomicFile file(path);
  archive.save_to([&](const void* data, std::size_t size) {
    file.write({static_cast<const char*>(data), size});
    return size;
  });
  file.finish();
  file.commit();
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
    expect("callbacks", static_cast<std::int64_t>(options_.callbacks.size()), read_number(archive, "callbacks"));
    History history = History::parse(read_text(archive, "history"));
    History record = History::parse(read_text(archive, "record"));
    at::Tensor sums;
    archive.read("sums", sums);
    if (record.epochs.size() != 1 || sums.numel() != 3 || sums.scalar_type() != at::kDouble)
      throw Error("expected the sums of an epoch, found something else");
    for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
      InputArchive callback;
      archive.read("callback" + std::to_string(i), callback);
      options_.callbacks[i]->load(callback, *this);
    }
    load_tensors(tensors_of(model_.module()), read_tensors(archive, "model"));
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
    record_.learning_rate = numbers[2];
    history_ = std::move(history);
    stopping_ = false;
  } catch (const std::exception& error) {
    throw Error(path + ": " + first_line(error.what()));
  }
}

}  // namespace coppice
