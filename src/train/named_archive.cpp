#include "train/named_archive.hpp"

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"

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
