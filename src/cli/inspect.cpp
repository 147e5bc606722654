#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "coppice/analysis/activations.hpp"
#include "coppice/analysis/groups.hpp"
#include "coppice/analysis/layers.hpp"
#include "coppice/analysis/locks.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/zero_structure.hpp"

#include "cli/app.hpp"
#include "cli/inspect_checkpoint.hpp"
#include "cli/inspect_report.hpp"
#include "cli/model_options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

struct InspectArguments {
  std::string model;
  ModelOptions common;
  std::string device;
  bool groups = false, locks = false, json = false;
  std::vector<std::string> tensors;  ///< Patterns of names; checkpoints only.
};

// What a checkpoint can't tell, as it has tensors only.
void refuse_model_options(const InspectArguments& arguments) {
  const std::pair<bool, const char*> asked[] = {{!arguments.common.shapes.empty(), "--shape"},
                                                {arguments.groups, "--groups"},
                                                {arguments.locks, "--locks"},
                                                {!arguments.device.empty(), "--device"}};
  for (const auto& [given, option] : asked)
    if (given) throw UsageError(std::string(option) + ": expected an ONNX file; a checkpoint has tensors but no graph");
}

// Of each tensor; none but of weights with zeros that a layer multiplies with.
std::vector<std::vector<analysis::ZeroPattern>> zero_patterns(const graph::Graph& graph,
                                                              const std::vector<analysis::TensorRow>& rows) {
  std::vector<std::vector<analysis::ZeroPattern>> out(rows.size());
  std::map<std::string_view, std::size_t> with_zeros;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].zeros > 0) with_zeros[rows[i].name] = i;
  for (const sparsity::Site& site : sparsity::find_sites(graph)) {
    const auto place = with_zeros.find(site.name);
    if (place == with_zeros.end()) continue;
    const analysis::TensorRow& row = rows[place->second];
    if (tensor::is_real(row.dtype))
      out[place->second] = analysis::zero_patterns(tensor::zero_groups(*graph.constant(site.value), site.input_axis),
                                                   row.zeros, row.elements);
  }
  return out;
}

void inspect(const InspectArguments& arguments, TorchServices* services) {
  base::set_thread_count(arguments.common.threads);
  if (is_checkpoint(arguments.model)) {
    refuse_model_options(arguments);
    return inspect_checkpoint(arguments.model, arguments.tensors, arguments.json);
  }
  if (!arguments.tensors.empty()) throw UsageError("--tensors: expected a checkpoint in safetensors");
  if (!arguments.device.empty() && !services) throw HandOver();
  pruning::PrepareOptions options;
  options.shapes = parse_shapes(arguments.common.shapes);

  Bar bar;
  bar.begin("read", 0);
  graph::Model model = formats::read_onnx(arguments.model);
  bar.end();
  bar.begin("couple", 0);
  InspectReport report;
  report.file = arguments.model;
  report.bytes = model.source_bytes;
  report.prepared = prepare(arguments.model, std::move(model), options);
  bar.end();
  bar.begin("count", 0);
  report.layers = analysis::layers(report.prepared, analysis::Zeros::count);
  report.patterns = zero_patterns(report.prepared.model.graph, report.layers.tensors);
  report.reach = pruning::reach(report.prepared);
  report.activation_bytes = analysis::peak_activation_bytes(report.prepared);
  report.groups = analysis::groups(report.prepared);
  report.locks = analysis::locks(report.prepared);
  bar.end();

  if (!arguments.device.empty()) {
    try {
      report.run_time = services->run_time(report.prepared, arguments.device, arguments.common.threads);
    } catch (const Error& error) {
      throw Error(arguments.model + ": " + error.what());
    }
  }
  for (const std::string& problem : report.prepared.problems) say("warning: " + problem);
  if (arguments.json) {
    print_json(inspect_json(report, arguments.groups, arguments.locks));
  } else {
    print(inspect_text(report, arguments.groups, arguments.locks));
  }
}

}  // namespace

void add_inspect(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a model holds, and what of it can be pruned");
  add_file(*command, "MODEL", arguments->model,
           "ONNX file; or a checkpoint: safetensors file, index of several, or folder")
      ->required();
  add_shape_option(*command, arguments->common);
  command->add_flag("--groups", arguments->groups, "List the coupling groups with their members");
  command->add_flag("--locks", arguments->locks, "List what must stay: node, reason, share of the parameters");
  command->add_option("--device", arguments->device, "Also measure how long a run takes there")->type_name("cpu|cuda");
  command
      ->add_option("--tensors", arguments->tensors,
                   "Of a checkpoint only these tensors, by name or dotted beginning with * and ?; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  add_threads_option(*command, arguments->common);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice inspect model.onnx\n"
      "coppice inspect model.onnx --locks\n"
      "coppice inspect model.onnx --device cpu --threads 1\n"
      "coppice inspect model.onnx --shape input=1x3x640x640 --json\n"
      "coppice inspect model.safetensors --tensors '*attn*weight'\n"
      "coppice inspect checkpoint/");
  command->callback([arguments, services] { inspect(*arguments, services); });
}

}  // namespace coppice::cli
