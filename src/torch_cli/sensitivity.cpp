#include "coppice/train/sensitivity.hpp"

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/ratio.hpp"
#include "coppice/torch/graph_module.hpp"

#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"
#include "train/recipe/choices.hpp"
#include "train/recipe/loaders.hpp"
#include "train/recipe/stage_file.hpp"

namespace coppice::cli {
void Services::sensitivity(const SensitivityArguments& arguments) {
  if (!arguments.out.empty()) check_target(arguments.out);
  if (same_file(arguments.model, arguments.out))
    throw UsageError("--out: expected another file than MODEL, found " + arguments.out);
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  const Loss loss = recipe::make_loss(arguments.loss, 0);
  Bar bar;
  SensitivityOptions options;
  if (arguments.metric == "loss")
    options.metric = {"loss", loss, false};
  else
    options.metric = recipe::make_metric(arguments.metric);
  options.pruning.criterion = parse_criterion(arguments.criterion);
  options.pruning.calibration.loss = loss;
  options.pruning.ignored_layers = arguments.ignored;
  options.pruning.seed = arguments.seed;
  options.progress = &bar;
  options.ratios.clear();
  for (const std::string& ratio : arguments.ratios) options.ratios.push_back(pruning::parse_ratio(ratio));
  const recipe::Data described = data_of(arguments.data);
  data::DatasetPtr dataset = recipe::read_dataset(described.training, data::Part::training, described);
  const std::vector<std::string> skipped = dataset->skipped();
  say_skipped(skipped);
  if (arguments.samples > 0) dataset = data::first_samples(dataset, arguments.samples);
  const data::Loader loader = recipe::in_order(dataset, described, described.batch_size);
  GraphModule module(formats::read_onnx(arguments.model));
  module.to(device);
  const Sensitivity found = [&] {
    try {
      return measure_sensitivity(module, loader, options);
    } catch (const Error& error) {
      throw Error(arguments.model + ": " + error.what());
    }
  }();
  if (!arguments.out.empty()) recipe::write_text(arguments.out, found.json());
  if (!arguments.json) {
    print(found.text());
    return;
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(found.json());
  if (described.skip_damaged) json["skipped"] = skipped.size();
  print_json(json);
}

}  // namespace coppice::cli
