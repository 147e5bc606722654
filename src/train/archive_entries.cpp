#include "train/archive_entries.hpp"

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"

#include "torch/messages.hpp"
#include "torch/module_tensors.hpp"

namespace coppice {

void write_number(torch::serialize::OutputArchive& archive, const std::string& key, std::int64_t number) {
  archive.write(key, c10::IValue(number));
}

std::int64_t read_number(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  if (!value.isInt()) throw Error("\"" + key + "\": expected a whole number");
  return value.toInt();
}

void write_real(torch::serialize::OutputArchive& archive, const std::string& key, double number) {
  archive.write(key, c10::IValue(number));
}

double read_real(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  if (!value.isDouble()) throw Error("\"" + key + "\": expected a number");
  return value.toDouble();
}

void write_text(torch::serialize::OutputArchive& archive, const std::string& key, const std::string& text) {
  archive.write(key, c10::IValue(text));
}

std::string read_text(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  if (!value.isString()) throw Error("\"" + key + "\": expected a text");
  return value.toStringRef();
}

void write_tensors(torch::serialize::OutputArchive& archive, const std::string& key,
                   const std::vector<at::Tensor>& tensors) {
  torch::serialize::OutputArchive list;
  write_number(list, "size", static_cast<std::int64_t>(tensors.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) list.write("tensor" + std::to_string(i), tensors[i]);
  archive.write(key, list);
}

std::vector<at::Tensor> read_tensors(torch::serialize::InputArchive& archive, const std::string& key) {
  torch::serialize::InputArchive list;
  archive.read(key, list);
  std::vector<at::Tensor> out;
  const std::int64_t size = read_number(list, "size");
  for (std::int64_t i = 0; i < size; ++i) list.read("tensor" + std::to_string(i), out.emplace_back());
  return out;
}

void write_model(torch::serialize::OutputArchive& archive, const std::string& key, const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : tensors_of(module)) tensors.emplace_back(name, tensor.detach());
  write_named(archive, key, tensors);
}

void read_model(torch::serialize::InputArchive& archive, const std::string& key, torch::nn::Module& module) {
  const at::NoGradGuard no_gradients;
  const NamedTensors from = read_named(archive, key);
  NamedTensors into = tensors_of(module);
  if (into.size() != from.size())
    throw Error("of another model: expected " + std::to_string(into.size()) + " tensors, found " +
                std::to_string(from.size()));
  const auto words = [](const std::string& name, const at::Tensor& tensor) {
    return "\"" + name + "\" (" + c10::toString(tensor.scalar_type()) + " " + shape_text(tensor.sizes()) + ")";
  };
  for (std::size_t i = 0; i < into.size(); ++i) {
    const std::string expected = words(into[i].first, into[i].second), found = words(from[i].first, from[i].second);
    if (expected != found) throw Error("of another model: expected " + expected + ", found " + found);
  }
  for (std::size_t i = 0; i < into.size(); ++i) into[i].second.copy_(from[i].second);
}

void write_named(torch::serialize::OutputArchive& archive, const std::string& key, const NamedTensors& tensors) {
  torch::serialize::OutputArchive list;
  write_number(list, "size", static_cast<std::int64_t>(tensors.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    list.write("name" + std::to_string(i), c10::IValue(tensors[i].first));
    list.write("tensor" + std::to_string(i), tensors[i].second);
  }
  archive.write(key, list);
}

NamedTensors read_named(torch::serialize::InputArchive& archive, const std::string& key) {
  torch::serialize::InputArchive list;
  archive.read(key, list);
  NamedTensors out;
  const std::int64_t size = read_number(list, "size");
  for (std::int64_t i = 0; i < size; ++i) {
    c10::IValue name;
    at::Tensor tensor;
    list.read("name" + std::to_string(i), name);
    list.read("tensor" + std::to_string(i), tensor);
    if (!name.isString()) throw Error("\"" + key + "\": expected the name of tensor " + std::to_string(i));
    out.emplace_back(name.toStringRef(), tensor);
  }
  return out;
}

}  // namespace coppice
