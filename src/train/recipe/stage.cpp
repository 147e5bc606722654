#include "train/recipe/stage.hpp"

#include <chrono>
#include <filesystem>

#include <torch/optim/optimizer.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/train/keep_best.hpp"

#include "train/recipe/choices.hpp"
#include "train/recipe/stage_file.hpp"

namespace coppice::recipe {
namespace {

namespace fs = std::filesystem;

// Ends a training when the run is to end.
class Stopper : public Callback {
 public:
  explicit Stopper(std::function<bool()> stop) : stop_(std::move(stop)) {}
  void after_batch(Trainer& trainer) override {
    if (stop_ && stop_()) trainer.stop();
  }

 private:
  std::function<bool()> stop_;
};

}  // namespace

Way::Way(const Recipe& recipe, const RunOptions& options, const Datasets& datasets, std::string variant,
         std::uint64_t seed)
    : recipe_(recipe),
      options_(options),
      folder_(options.folder + "/" + variant + "-" + std::to_string(seed)),
      loaders_(make_loaders(datasets, recipe.data, seed)) {
  result_.variant = std::move(variant);
  result_.seed = seed;
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (failure) throw Error(folder_ + ": expected a folder that can be made, found: " + failure.message());
}

std::string Way::title(const std::string& stage) const {
  return result_.variant + ", seed " + std::to_string(result_.seed) + ", " + stage;
}

StageResult Way::measured(const std::string& name, GraphModule& module) const {
  StageResult out{.stage = name};
  const Loss loss = make_loss(main_training(recipe_).loss, 0);
  out.held_out = evaluate(module, loaders_.held_out, loss, make_metrics(recipe_.evaluate.metrics));
  if (loaders_.test) out.test = evaluate(module, loaders_.test, loss, make_metrics(recipe_.evaluate.metrics));
  const pruning::Count count = pruning::count(pruning::prepare(module.view()));
  out.parameters = count.parameters;
  out.macs = count.macs;
  out.nonzero = count.parameters;
  for (const at::Tensor& parameter : module.parameters()) out.nonzero -= parameter.eq(0).sum().item<std::int64_t>();
  return out;
}

bool Way::stage(const std::string& name, const Work& work) {
  const std::string path = folder_ + "/" + name;
  const bool known = fs::exists(path + ".json");  // from a run that is resumed, or from its base
  StageResult result;
  if (known) {
    result = parse_stage(read_text(path + ".json"));
  } else {
    const auto start = std::chrono::steady_clock::now();
    GraphModule module(formats::read_onnx(model_));
    module.to(options_.device);
    History history;
    if (!work(module, history)) return false;
    result = measured(name, module);
    result.history = std::move(history);
    // A stage that was stopped counts the seconds of its epochs.
    for (const EpochRecord& epoch : result.history.epochs) result.seconds += epoch.seconds;
    if (result.history.epochs.empty())
      result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    formats::write_onnx(module.model(), path + ".onnx");
    write_text(path + ".json", to_json(result).dump(2) + "\n");
    std::error_code ignored;
    fs::remove(path + ".pt", ignored);
  }
  model_ = path + ".onnx";
  result_.model = model_;
  result_.stages.push_back(std::move(result));
  if (options_.on_stage) options_.on_stage(title(name), result_.stages.back());
  return true;
}

void Way::take_over(const std::string& name, const std::string& folder) const {
  const std::string from = folder + "/" + name, to = folder_ + "/" + name;
  if (!fs::exists(from + ".json") || fs::exists(to + ".json")) return;
  formats::write_onnx(formats::read_onnx(from + ".onnx"), to + ".onnx");
  write_text(to + ".json", read_text(from + ".json"));  // last: tells that the stage is done
}

TrainerOptions Way::trainer_options(const std::string& name, const Training& training) const {
  TrainerOptions out{.epochs = training.epochs,
                     .loss = make_loss(training.loss, training.label_smoothing),
                     .learning_rate = training.learning_rate,
                     .clip_norm = training.clip_norm,
                     .accumulate = training.accumulate,
                     .precision = training.precision,
                     .validation = loaders_.held_out,
                     .metrics = make_metrics(recipe_.evaluate.metrics),
                     .seed = result_.seed,
                     .progress = options_.progress};
  if (training.distillation) out.callbacks.push_back(distil_from(teacher_, *training.distillation, options_.device));
  if (training.keep_best) out.callbacks.push_back(std::make_shared<KeepBest>(recipe_.evaluate.metrics.front()));
  out.callbacks.push_back(std::make_shared<Stopper>(options_.stop));
  if (options_.on_epoch)
    out.on_epoch = [this, name](const EpochRecord& epoch) { options_.on_epoch(title(name), epoch); };
  return out;
}

bool Way::train(const std::string& name, const Training& training,
                const std::vector<std::shared_ptr<Callback>>& callbacks, GraphModule& module, History& history) const {
  TrainerOptions options = trainer_options(name, training);
  options.callbacks.insert(options.callbacks.begin(), callbacks.begin(), callbacks.end());
  return fit(name, training.optimizer, std::move(options), module, history);
}

bool Way::fit(const std::string& name, const OptimizerOptions& how, TrainerOptions options, GraphModule& module,
              History& history) const {
  const auto optimizer = make_optimizer(how, module.parameters());
  options.checkpoint = folder_ + "/" + name + ".pt";
  options.checkpoint_steps = options_.checkpoint_steps;
  Trainer trainer(module, *optimizer, loaders_.training, options);
  if (options_.resume && fs::exists(options.checkpoint)) trainer.resume(options.checkpoint);
  history = trainer.fit();
  module.eval();
  return !trainer.stopped();
}

}  // namespace coppice::recipe
