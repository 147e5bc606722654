#include "cli/impact.hpp"

#include <limits>
#include <memory>

#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

constexpr const char* data_group = "Data, for accuracy and methods that look at it";

void check(const ImpactArguments& arguments, const CLI::App& command) {
  if (arguments.json + arguments.csv + arguments.markdown > 1)
    throw UsageError("--json, --csv and --markdown exclude one another");
  if (!arguments.loss.empty() && arguments.loss != "cross-entropy" && arguments.loss != "mse")
    throw UsageError("--loss: expected cross-entropy or mse, found '" + arguments.loss + "'");
  const std::string name = first_given(command, data_group);
  if (!name.empty() && arguments.calibration.data.empty() && arguments.test.empty())
    throw UsageError(name + " has no effect without --data or --test");
}

}  // namespace

void add_impact(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<ImpactArguments>();
  CLI::App* command =
      app.add_subcommand("impact", "Measure what ways to prune cost and bring for a model, side by side");
  add_file(*command, "MODEL", arguments->model, "ONNX file")->required();
  command
      ->add_option("--method", arguments->methods,
                   "magnitude:50%, 2:4, channels:25%, heads:50%, snip:95%, wanda:2:4, sparse_gpt:50% ...")
      ->type_name("NAME:R,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  const std::string group = data_group;
  add_calibration_options(*command, arguments->calibration, group);
  command->add_option("--test", arguments->test, "Labelled samples for the accuracy, their part for tests; else --data")
      ->type_name("DATA")
      ->group(group);
  command->add_option("--metric", arguments->metric, "accuracy, top5 and the like")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  command->add_option("--loss", arguments->loss, "What the gradients are of")
      ->type_name("cross-entropy|mse")
      ->default_str("cross-entropy")
      ->group(group);
  command->add_option("--seconds", arguments->seconds, "How long to measure latencies, all together")
      ->type_name("S")
      ->check(CLI::Range(0.01, 86400.0).description(""))
      ->capture_default_str();
  add_shape_option(*command, arguments->common);
  whole_number(command->add_option("--seed", arguments->seed, "Of everything that is drawn"), 0,
               std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--device", arguments->device, "Where to compute")->type_name("cpu|cuda")->default_str("cpu");
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->add_flag("--csv", arguments->csv, "Print comma-separated values");
  command->add_flag("--markdown", arguments->markdown, "Print a table in Markdown");
  command->footer(
      "coppice impact model.onnx\n"
      "coppice impact model.onnx --method magnitude:90%,2:4,channels:25%\n"
      "coppice impact model.onnx --data fashion-mnist:512 --test fashion-mnist \\\n"
      "  --method snip:95%,sparse_gpt:50%");
  command->callback([arguments, command, services] {
    check(*arguments, *command);
    if (!services) throw HandOver();
    services->impact(*arguments);
  });
}

}  // namespace coppice::cli
