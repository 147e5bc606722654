#include "coppice/train/impact.hpp"

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "cli/impact.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"
#include "train/recipe/choices.hpp"
#include "train/recipe/loaders.hpp"

namespace coppice::cli {
namespace {

bool labelled(const BatchSource& data) {
  bool out = false;
  data.for_each([&](const Batch& batch) {
    out = batch.target.defined();
    return false;
  });
  return out;
}

// All of the samples, in their order; those of --data may go without labels.
BatchSource evaluation_of(const ImpactArguments& arguments) {
  const CalibrationArguments& given = arguments.calibration;
  const std::string& text = arguments.test.empty() ? given.data : arguments.test;
  if (text.empty()) return {};
  const recipe::Data described{
      .batch_size = given.batch_size, .mean = given.mean, .deviation = given.deviation, .crop = given.crop};
  const auto part = arguments.test.empty() ? data::Part::training : data::Part::test;
  const BatchSource out = recipe::in_order(recipe::read_dataset(text, part, described), described, given.batch_size);
  if (labelled(out)) return out;
  if (!arguments.test.empty()) throw Error("--test " + text + ": expected samples with labels, found none");
  return {};
}

}  // namespace

void Services::impact(const ImpactArguments& arguments) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  Bar bar;
  ImpactOptions options;
  options.methods = arguments.methods;
  for (const std::string& method : options.methods)
    if (parse_impact_method(method).needs_data() && arguments.calibration.data.empty())
      throw UsageError("--method " + method + ": it looks at data, expected --data DATA");
  options.shapes = parse_shapes(arguments.common.shapes);
  if (!arguments.calibration.data.empty()) options.calibration = calibration_of(arguments.calibration, arguments.seed);
  options.calibration.loss = arguments.loss == "mse" ? mse() : cross_entropy();
  options.evaluation = evaluation_of(arguments);
  options.metric = recipe::make_metric(arguments.metric);
  options.seconds = arguments.seconds;
  options.seed = arguments.seed;
  options.device = device;
  options.progress = &bar;
  const Impact found = [&] {
    const graph::Model model = formats::read_onnx(arguments.model);
    try {
      return measure_impact(model, options);
    } catch (const Error& error) {
      throw Error(arguments.model + ": " + error.what());
    }
  }();
  print(arguments.json       ? found.json()
        : arguments.csv      ? found.csv()
        : arguments.markdown ? found.markdown()
                             : found.text());
}

}  // namespace coppice::cli
