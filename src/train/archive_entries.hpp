#pragma once
#include <string>
#include <vector>

#include "coppice/torch/evidence.hpp"

namespace torch::serialize {
class InputArchive;
class OutputArchive;
}  // namespace torch::serialize

namespace coppice {

// Reading throws when there is no such entry, or something else under its name.

/// A list of tensors with their names as an entry of an archive.
void write_named(torch::serialize::OutputArchive& archive, const std::string& key, const NamedTensors& tensors);
NamedTensors read_named(torch::serialize::InputArchive& archive, const std::string& key);

/// A list of tensors without names.
void write_tensors(torch::serialize::OutputArchive& archive, const std::string& key,
                   const std::vector<at::Tensor>& tensors);
std::vector<at::Tensor> read_tensors(torch::serialize::InputArchive& archive, const std::string& key);

/// The tensors of a module.
void write_model(torch::serialize::OutputArchive& archive, const std::string& key, const torch::nn::Module& module);
/// Into a module with tensors of the same names and shapes; otherwise throws Error and changes nothing.
void read_model(torch::serialize::InputArchive& archive, const std::string& key, torch::nn::Module& module);

void write_number(torch::serialize::OutputArchive& archive, const std::string& key, std::int64_t number);
std::int64_t read_number(torch::serialize::InputArchive& archive, const std::string& key);
void write_real(torch::serialize::OutputArchive& archive, const std::string& key, double number);
double read_real(torch::serialize::InputArchive& archive, const std::string& key);
void write_text(torch::serialize::OutputArchive& archive, const std::string& key, const std::string& text);
std::string read_text(torch::serialize::InputArchive& archive, const std::string& key);

}  // namespace coppice
