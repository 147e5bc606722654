#include "coppice/torch/checkpoint.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"

#include "torch/inplace/module_widths.hpp"
#include "torch/messages.hpp"
#include "torch/module_tensors.hpp"
#include "torch/save_archive.hpp"

namespace coppice {
namespace {

// Beside the module's own entries, which are names of its members.
constexpr const char* plan_key = "coppice_plan";
constexpr const char* groups_key = "coppice_groups";

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

std::string text_of(torch::serialize::InputArchive& archive, const char* key) {
  c10::IValue value;
  return archive.try_read(key, value) && value.isString() ? value.toStringRef() : std::string();
}

inplace::Groups parse_groups(const std::string& text) {
  inplace::Groups out;
  if (text.empty()) return out;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) throw Error(std::string(groups_key) + ": expected an object of numbers");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1)
      throw Error(std::string(groups_key) + ": \"" + name + "\": expected a number of groups");
    out[name] = value.get<std::int64_t>();
  }
  return out;
}

void expect_model_of(const pruning::Plan& plan, const Tensors& tensors) {
  for (const pruning::PlanCut& cut : plan.cuts) {
    const auto it =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& item) { return item.first == cut.parameter; });
    if (it == tensors.end() && cut.parameter.find('/') != std::string::npos) continue;  // made by tracing
    if (it == tensors.end()) throw Error("made for another module: it has no parameter \"" + cut.parameter + "\"");
    if (cut.axis >= it->second.dim() || it->second.size(cut.axis) != cut.length)
      throw Error("made for another module: parameter \"" + cut.parameter + "\" axis " + std::to_string(cut.axis) +
                  ": expected length " + std::to_string(cut.length) + ", found " +
                  (cut.axis < it->second.dim() ? std::to_string(it->second.size(cut.axis)) : "none"));
  }
}

}  // namespace

void save(const torch::nn::Module& module, const std::string& path, const std::optional<pruning::Plan>& plan) {
  torch::serialize::OutputArchive archive;
  module.save(archive);
  auto& mutable_module = const_cast<torch::nn::Module&>(module);  // named_modules() of a constant module is not there
  archive.write(groups_key, c10::IValue(nlohmann::json(inplace::groups_of(mutable_module)).dump()));
  if (plan) archive.write(plan_key, c10::IValue(to_json(*plan)));
  save_archive(archive, path);
}

std::optional<pruning::Plan> load(torch::nn::Module& module, const std::string& path) {
  std::optional<pruning::Plan> plan;
  const Tensors tensors = tensors_of(module);
  std::vector<at::Tensor> before;
  for (const auto& [name, tensor] : tensors) before.push_back(tensor.detach());
  const inplace::Groups groups_before = inplace::groups_of(module);
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path);
    if (const std::string text = text_of(archive, plan_key); !text.empty()) {
      plan = pruning::parse_plan(text);
      expect_model_of(*plan, tensors);
    }
    const inplace::Groups groups = parse_groups(text_of(archive, groups_key));
    module.load(archive);
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (tensors[i].second.dim() != before[i].dim() || tensors[i].second.scalar_type() != before[i].scalar_type())
        throw Error("\"" + tensors[i].first + "\": expected a tensor of " + std::to_string(before[i].dim()) +
                    " axes of " + c10::toString(before[i].scalar_type()) + ", found " +
                    std::to_string(tensors[i].second.dim()) + " of " + c10::toString(tensors[i].second.scalar_type()));
    inplace::fit_options(module, groups);
    return plan;
  } catch (const std::exception& error) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      at::Tensor tensor = tensors[i].second;
      tensor.set_data(before[i]);
    }
    inplace::fit_options(module, groups_before);
    throw Error(path + ": " + first_line(error.what()));
  }
}

}  // namespace coppice
