#include <filesystem>

#include <nlohmann/json.hpp>
#include <torch/optim/optimizer.h>

#include "coppice/analysis/text.hpp"
#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/ratio.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/distillation.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/recipe.hpp"
#include "coppice/train/sparsify_callback.hpp"
#include "coppice/train/trainer.hpp"
#include "coppice/zoo/zoo.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/epochs.hpp"
#include "torch_cli/option_value.hpp"
#include "torch_cli/services.hpp"
#include "torch_cli/stop_on_signal.hpp"
#include "train/recipe/choices.hpp"
#include "train/recipe/loaders.hpp"
#include "train/recipe/stage_file.hpp"

namespace coppice::cli {
namespace {

constexpr std::string_view zoo_prefix = "zoo:";

graph::Model read_model(const TrainArguments& arguments) {
  if (!arguments.model.starts_with(zoo_prefix)) return formats::read_onnx(arguments.model);
  return zoo::build(std::string_view(arguments.model).substr(zoo_prefix.size()), arguments.seed);
}

recipe::Data data_of(const TrainArguments& arguments) {
  recipe::Data out = data_of(arguments.data);
  const TrainingDataArguments& training = arguments.training;
  out.test = training.test;
  out.held_out = value_of("--held-out", training.held_out, pruning::parse_ratio);
  out.random_scale = training.random_scale;
  out.random_shift = training.random_shift;
  out.random_flip = training.random_flip;
  return out;
}

// Here and below, what may throw is done before a struct is begun: where an initializer throws, GCC 12 destroys those
// before it twice.
std::shared_ptr<PruneCallback> pruning_of(const TrainArguments& arguments) {
  if (arguments.pruning_ratio.empty()) return nullptr;
  PrunerOptions options;
  options.pruning_ratio = value_of("--pruning-ratio", arguments.pruning_ratio, pruning::parse_ratio);
  options.context = value_of("--context", arguments.context, pruning::parse_context);
  options.criterion = value_of("--criterion", arguments.criterion, parse_criterion);
  options.schedule = value_of("--schedule", arguments.schedule, pruning::parse_schedule);
  options.seed = arguments.seed;
  try {
    return std::make_shared<PruneCallback>(options, PruneWindow{.start = arguments.start, .end = arguments.end});
  } catch (const Error& error) {
    throw UsageError("--start, --end: " + std::string(error.what()));
  }
}

struct ZeroShare {
  std::int64_t zeros = 0, weights = 0;
  std::string text() const {
    return analysis::with_separators(zeros) + " of " + analysis::with_separators(weights) + " weights of layers";
  }
};

ZeroShare zeros_of(const graph::Model& model) {
  ZeroShare out;
  for (const sparsity::Site& site : sparsity::find_sites(model.graph)) {
    if (!site.obstacle.empty()) continue;
    const tensor::Tensor& weight = *model.graph.constant(site.value);
    out.zeros += tensor::count_zeros(weight);
    out.weights += weight.elements();
  }
  return out;
}

/// Keeps the zeros of the model if asked, and tells of them.
std::shared_ptr<Callback> zeros_kept(const TrainArguments& arguments, const graph::Model& model) {
  const ZeroShare share = zeros_of(model);
  if (share.zeros == 0) return nullptr;
  if (!arguments.keep_zeros) {
    // A few zeros mean nothing.
    if (share.zeros * 100 >= share.weights) say(arguments.model + ": " + share.text() + " are zero and may grow");
    return nullptr;
  }
  say(arguments.model + ": " + share.text() + " are zero and stay so");
  return std::make_shared<SparsifyCallback>(PresentZeros{});
}

// All but data, callbacks, and where to tell of it.
TrainerOptions options_of(const TrainArguments& arguments) {
  TrainerOptions out;
  out.epochs = arguments.epochs;
  value_of("--loss", arguments.loss, [](const std::string& loss) { return recipe::make_loss(loss, 0); });
  out.loss = recipe::make_loss(arguments.loss, arguments.label_smoothing);
  out.learning_rate.schedule = value_of("--rate-schedule", arguments.rate_schedule, parse_rate_schedule);
  out.learning_rate.warmup = arguments.warmup;
  out.clip_norm = arguments.clip_norm;
  out.accumulate = arguments.accumulate;
  out.precision = value_of("--precision", arguments.precision, parse_precision);
  out.metrics.clear();
  for (const std::string& metric : arguments.metrics)
    out.metrics.push_back(value_of("--metric", metric, recipe::make_metric));
  out.seed = arguments.seed;
  out.checkpoint = arguments.checkpoint;
  out.checkpoint_steps = arguments.checkpoint_steps;
  return out;
}

struct StopWhenAsked : Callback {
  void after_batch(Trainer& trainer) override {
    if (StopOnSignal::requested()) trainer.stop();
  }
};

// What is written must not be what is read, or be written over; the model itself may be trained in place.
void check_apart(const TrainArguments& arguments) {
  const std::pair<const char*, std::string> files[] = {{"MODEL", arguments.model},
                                                       {"--teacher", arguments.teacher},
                                                       {"--out", arguments.out},
                                                       {"--history", arguments.history},
                                                       {"--checkpoint", arguments.checkpoint}};
  for (std::size_t b = 2; b < std::size(files); ++b)
    for (std::size_t a = 0; a < b; ++a) {
      const bool in_place = a == 0 && b == 2;
      if (!in_place && same_file(files[a].second, files[b].second))
        throw UsageError(std::string(files[b].first) + ": expected another file than " + files[a].first + ", found " +
                         files[b].second);
    }
}

// Wrong targets are told before the work.
void check(const TrainArguments& arguments) {
  check_apart(arguments);
  for (const std::string& path : {arguments.out, arguments.history, arguments.checkpoint})
    if (!path.empty()) check_target(path);
  const std::string extension = std::filesystem::path(arguments.history).extension();
  if (!arguments.history.empty() && extension != ".csv" && extension != ".json")
    throw UsageError("--history: expected a name that ends in .csv or .json, found \"" + arguments.history + "\"");
}

}  // namespace

void Services::train(const TrainArguments& arguments) {
  check(arguments);
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  TrainerOptions options = options_of(arguments);
  const OptimizerKind optimizer_kind = value_of("--optimizer", arguments.optimizer, parse_optimizer);
  const DistillationKind distillation = value_of("--distillation", arguments.distillation, parse_distillation);
  const std::shared_ptr<PruneCallback> prune = pruning_of(arguments);
  const graph::Model model = read_model(arguments);
  const std::shared_ptr<Callback> zeros = zeros_kept(arguments, model);
  GraphModule module(model);
  module.to(device);
  const recipe::Data described = data_of(arguments);
  const recipe::Datasets datasets = recipe::read_datasets(described, arguments.seed);
  say_skipped(datasets.skipped);
  const recipe::Loaders data = recipe::make_loaders(datasets, described, arguments.seed);
  const auto optimizer = make_optimizer({.kind = optimizer_kind,
                                         .learning_rate = arguments.learning_rate,
                                         .momentum = arguments.momentum,
                                         .weight_decay = arguments.weight_decay},
                                        module.parameters());
  Bar bar;
  const StopOnSignal guard;
  options.validation = data.held_out;
  options.progress = &bar;
  if (prune) options.callbacks.push_back(prune);
  if (zeros) options.callbacks.push_back(zeros);
  if (!arguments.teacher.empty())
    options.callbacks.push_back(recipe::distil_from(
        arguments.teacher, {.kind = distillation, .temperature = arguments.temperature, .alpha = arguments.alpha},
        device));
  options.callbacks.push_back(std::make_shared<StopWhenAsked>());
  if (!arguments.json) options.on_epoch = [](const EpochRecord& epoch) { print(epoch_line(epoch) + "\n"); };
  Trainer trainer(module, *optimizer, data.training, options);
  if (arguments.resume) trainer.resume(arguments.checkpoint);
  const History& history = trainer.fit();
  if (trainer.stopped())
    throw Error(arguments.checkpoint.empty()
                    ? "stopped, and nothing is saved: --checkpoint FILE would have kept what was learnt"
                    : arguments.checkpoint + ": stopped; the same command with --resume goes on");
  module.eval();
  formats::write_onnx(module.model(), arguments.out);
  if (!arguments.history.empty())
    recipe::write_text(arguments.history, arguments.history.ends_with(".csv") ? history.csv() : history.json());
  std::optional<Evaluation> test;
  if (data.test) test = coppice::evaluate(module, data.test, options.loss, options.metrics);
  if (arguments.json) {
    nlohmann::ordered_json json{{"output", arguments.out}, {"history", nlohmann::ordered_json::parse(history.json())}};
    if (test)
      for (const auto& [name, value] : test->metrics) json["test"][name] = value;
    if (described.skip_damaged) json["skipped"] = datasets.skipped.size();
    print_json(json);
    return;
  }
  print(arguments.out + (test ? ": test " + evaluation_text(*test) : "") + "\n");
}

}  // namespace coppice::cli
