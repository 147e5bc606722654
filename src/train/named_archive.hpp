#pragma once
#include <string>

#include "coppice/torch/evidence.hpp"

namespace torch::serialize {
class InputArchive;
class OutputArchive;
}  // namespace torch::serialize

namespace coppice {

/// A list of tensors with their names as an entry of an archive.
void write_named(torch::serialize::OutputArchive& archive, const std::string& key, const NamedTensors& tensors);
/// Throws when there is no such entry, or something else under its name.
NamedTensors read_named(torch::serialize::InputArchive& archive, const std::string& key);

void write_number(torch::serialize::OutputArchive& archive, const std::string& key, std::int64_t number);
std::int64_t read_number(torch::serialize::InputArchive& archive, const std::string& key);

}  // namespace coppice
