#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/train/run_recipe.hpp"

#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/epochs.hpp"
#include "torch_cli/services.hpp"
#include "torch_cli/stop_on_signal.hpp"

namespace coppice::cli {
namespace {

std::string folder_of(const RecipeArguments& arguments) {
  if (!arguments.folder.empty()) return arguments.folder;
  const std::filesystem::path recipe(arguments.recipe);
  return recipe.has_extension() ? recipe.stem().string() : recipe.filename().string() + ".run";
}

}  // namespace

void Services::run_recipe(const RecipeArguments& arguments) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  recipe::Recipe recipe = recipe::read(arguments.recipe);
  if (arguments.baselines) recipe.evaluate.baselines = true;
  const std::string folder = folder_of(arguments);
  Bar bar;
  const StopOnSignal guard;
  recipe::RunOptions options{
      .folder = folder, .resume = arguments.resume, .base = arguments.base, .device = device, .progress = &bar};
  options.stop = StopOnSignal::requested;
  if (!arguments.json) {
    // A line for each stage, and what it comes to below.
    const auto tell = [last = std::make_shared<std::string>()](const std::string& stage, const std::string& line) {
      if (*last != stage) print(stage + "\n");
      *last = stage;
      print("  " + line + "\n");
    };
    options.on_epoch = [tell](const std::string& stage, const EpochRecord& epoch) { tell(stage, epoch_line(epoch)); };
    options.on_stage = [tell](const std::string& stage, const recipe::StageResult& result) {
      tell(stage, stage_line(result.parameters, result.macs, result.held_out));
    };
  }
  const auto report = recipe::run(recipe, options);
  if (!report) throw Error(folder + ": stopped; the same command with --resume goes on");
  say_skipped(report->skipped);
  if (arguments.json)
    print_json(nlohmann::ordered_json::parse(report->json()));
  else
    print("\n" + report->text() + "\n" + folder + "/" + recipe.output.onnx + "\n");
}

}  // namespace coppice::cli
