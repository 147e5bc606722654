#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/formats/npz.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/random_inputs.hpp"
#include "coppice/torch/tensors.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "torch/messages.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"

namespace coppice::cli {
namespace {

struct Summary {
  std::string name;
  at::Tensor value;
};

// Names of values may hold what a file's name must not.
std::string file_name(const std::string& value) {
  std::string out = value;
  for (char& c : out)
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20) c = '_';
  return (out.empty() || out.front() == '.' ? "_" + out : out) + ".npy";
}

// FILE.npy; FILE.npz:ARRAY; of FILE.npz the array named as the input, or the only one.
tensor::Tensor read_input(const std::string& name, const std::string& text) {
  const auto archive = formats::split_npz(text);
  if (!archive) return formats::read_npy(text);
  const formats::NpzFile file(archive->first);
  if (!archive->second.empty()) return file.read(archive->second);
  return file.read(file.names().size() == 1 ? file.names().front() : name);
}

std::size_t place_of(const std::string& name, const std::vector<std::string>& names) {
  const auto it = std::find(names.begin(), names.end(), name);
  if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
  const std::vector<std::string_view> views(names.begin(), names.end());
  throw Error("no input is named \"" + name + "\"; nearest: " + base::nearest_list(name, views));
}

std::string number(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.6g", value);
  return out;
}

std::string table(const std::vector<Summary>& outputs) {
  using analysis::Align;
  analysis::Table out({{"output", Align::left, true},
                       {"type"},
                       {"shape"},
                       {"smallest", Align::right},
                       {"mean", Align::right},
                       {"largest", Align::right}});
  for (const auto& [name, value] : outputs) {
    const at::Tensor numbers = value.numel() > 0 && !value.is_complex() ? value.to(at::kDouble) : at::Tensor();
    const auto shown = [&](auto of) { return numbers.defined() ? number(of(numbers).template item<double>()) : "-"; };
    out.row({name, std::string(tensor::name(element_type(value.scalar_type()))), shape_text(value.sizes()),
             shown([](const at::Tensor& t) { return t.min(); }), shown([](const at::Tensor& t) { return t.mean(); }),
             shown([](const at::Tensor& t) { return t.max(); })});
  }
  return out.text();
}

nlohmann::ordered_json json(const std::vector<Summary>& outputs) {
  nlohmann::ordered_json out{{"outputs", nlohmann::ordered_json::array()}};
  for (const auto& [name, value] : outputs)
    out["outputs"].push_back(
        {{"name", name}, {"dtype", tensor::name(element_type(value.scalar_type()))}, {"shape", value.sizes().vec()}});
  return out;
}

}  // namespace

void Services::run(const RunArguments& arguments) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  const graph::Model model = formats::read_onnx(arguments.model);
  std::vector<std::pair<std::string, tensor::Tensor>> given;
  for (const std::string& text : arguments.inputs) {
    const auto [name, file] = split_assignment("--input", text);
    given.emplace_back(name, read_input(name, file));
  }
  try {
    auto shapes = parse_shapes(arguments.common.shapes);
    for (const auto& [name, tensor] : given) shapes.emplace_back(name, tensor.shape);
    GraphModule module(model);
    std::vector<at::Tensor> inputs = random_inputs(model, graph::choose_worlds(model, shapes).counting, arguments.seed);
    for (const auto& [name, tensor] : given) inputs[place_of(name, module.input_names())] = to_torch(tensor);
    module.to(device);
    for (at::Tensor& input : inputs) input = input.to(device);
    const at::NoGradGuard no_gradients;
    const std::vector<at::Tensor> outputs = module.run(std::move(inputs));
    std::vector<Summary> results;
    for (std::size_t i = 0; i < outputs.size(); ++i) results.push_back({module.output_names()[i], outputs[i].cpu()});
    if (!arguments.output_dir.empty()) {
      std::filesystem::create_directories(arguments.output_dir);
      for (const auto& [name, value] : results)
        formats::write_npy(to_coppice(value), (std::filesystem::path(arguments.output_dir) / file_name(name)).string());
    }
    if (arguments.json)
      print_json(json(results));
    else
      print(table(results));
  } catch (const Error& error) {
    throw Error(arguments.model + ": " + error.what());
  }
}

}  // namespace coppice::cli
