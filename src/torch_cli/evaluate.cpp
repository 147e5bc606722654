#include "coppice/train/evaluate.hpp"

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"

#include "cli/output.hpp"
#include "torch_cli/class_accuracy.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/epochs.hpp"
#include "torch_cli/services.hpp"
#include "train/evaluation_json.hpp"
#include "train/recipe/choices.hpp"
#include "train/recipe/loaders.hpp"

namespace coppice::cli {

void Services::evaluate(const EvaluateArguments& arguments) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  std::vector<Metric> metrics = recipe::make_metrics(arguments.metrics);
  GraphModule module(formats::read_onnx(arguments.model));
  module.to(device);
  const recipe::Data described = data_of(arguments.data);
  const data::DatasetPtr dataset =
      recipe::read_dataset(described.training, arguments.test ? data::Part::test : data::Part::training, described);
  say_skipped(dataset->skipped());
  const data::Loader loader = recipe::in_order(dataset, described, described.batch_size);
  // Another accuracy that counts by class, for the JSON.
  ClassAccuracy classes(arguments.json ? dataset->class_names() : std::vector<std::string>());
  const bool by_class = !classes.empty();
  if (by_class) metrics.push_back(classes.counting());
  Evaluation found = [&] {
    try {
      return coppice::evaluate(module, loader, recipe::make_loss(arguments.loss, 0), metrics);
    } catch (const Error& error) {
      throw Error(arguments.model + ": " + error.what());
    }
  }();
  if (!arguments.json) {
    print(evaluation_text(found) + " on " + std::to_string(found.samples) + " samples\n");
    return;
  }
  if (by_class) found.metrics.pop_back();
  nlohmann::ordered_json json = to_json(found);
  if (arguments.data.skip_damaged) json["skipped"] = dataset->skipped().size();
  if (!classes.empty()) json["classes"] = classes.json();
  print_json(json);
}

}  // namespace coppice::cli
