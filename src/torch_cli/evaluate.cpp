#include "coppice/train/evaluate.hpp"

#include "coppice/base/error.hpp"
#include "coppice/data/loader.hpp"
#include "coppice/data/read.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"

#include "cli/output.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/epochs.hpp"
#include "torch_cli/services.hpp"
#include "train/evaluation_json.hpp"
#include "train/recipe/choices.hpp"

namespace coppice::cli {

void Services::evaluate(const EvaluateArguments& arguments) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  const std::vector<Metric> metrics = recipe::make_metrics(arguments.metrics);
  data::LoaderOptions loading{.batch_size = arguments.batch_size, .shuffled = false, .workers = 1};
  if (!arguments.mean.empty() || !arguments.deviation.empty())
    loading.transforms.push_back(data::normalize(arguments.mean, arguments.deviation));
  GraphModule module(formats::read_onnx(arguments.model));
  module.to(device);
  const data::Loader loader(data::read(arguments.data, arguments.test ? data::Part::test : data::Part::training),
                            loading);
  const Evaluation found = [&] {
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
  print_json(to_json(found));
}

}  // namespace coppice::cli
