#include <limits>
#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/torch_services.hpp"
#include "cli/train_arguments.hpp"

// The commands that go through data; what they do is coppice-torch's.
namespace coppice::cli {
namespace {

constexpr std::uint64_t most = 1000000000;

CLI::Option* count(CLI::App& command, const std::string& name, std::int64_t& out, std::uint64_t least,
                   const std::string& description) {
  return whole_number(command.add_option(name, out, description), least, most)->type_name("N")->capture_default_str();
}

CLI::Option* number(CLI::App& command, const std::string& name, double& out, const std::string& description) {
  return command.add_option(name, out, description)->type_name("X")->capture_default_str();
}

CLI::Option* choice(CLI::App& command, const std::string& name, std::string& out, const std::string& names,
                    const std::string& description) {
  return command.add_option(name, out, description)->type_name(names)->capture_default_str();
}

void add_device(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "Where to compute")->type_name("cpu|cuda")->default_str("cpu");
}

void add_data(CLI::App& command, DataArguments& arguments) {
  command
      .add_option("--data", arguments.data,
                  "Samples: x.npy:y.npy, fashion-mnist, idx:FOLDER, cifar10:FOLDER, images:FOLDER:SIZE, "
                  "tokens:FILE:LENGTH ... see docs/data.md")
      ->type_name("DATA")
      ->required();
  count(command, "--batch-size", arguments.batch_size, 1, "Samples a batch");
  whole_number(command.add_option("--workers", arguments.workers, "Threads that fetch batches ahead"), 0, 1024)
      ->type_name("N")
      ->capture_default_str();
  add_normalisation(command, arguments.mean, arguments.deviation);
  count(command, "--crop", arguments.crop, 0, "Crop pictures to N pixels a side; 0: not at all");
  command.add_flag("--skip-damaged", arguments.skip_damaged, "Leave out records that cannot be read, and count them");
}

void add_loss(CLI::App& command, std::string& loss) {
  choice(command, "--loss", loss, "cross-entropy|mse|binary-cross-entropy", "What is made small");
}

void add_metrics(CLI::App& command, std::vector<std::string>& metrics) {
  command.add_option("--metric", metrics, "accuracy, perplexity, top5 and the like; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->default_str("accuracy");
}

void add_training_data(CLI::App& command, TrainingDataArguments& arguments) {
  command.add_option("--test", arguments.test, "Samples to report on at the end; no choice looks at them")
      ->type_name("DATA");
  command.add_option("--held-out", arguments.held_out, "Share of the samples set aside to measure every epoch on")
      ->type_name("SHARE")
      ->capture_default_str();
  number(command, "--random-scale", arguments.random_scale,
         "Least share of the picture that a crop is scaled from while training; 0: crops are not scaled");
  count(command, "--random-shift", arguments.random_shift, 0, "Move pictures by up to N at random while training");
  command.add_flag("--random-flip", arguments.random_flip, "Mirror half of the pictures while training");
}

void add_training_options(CLI::App& command, TrainArguments& arguments) {
  count(command, "--epochs", arguments.epochs, 1, "How often to go through the samples");
  choice(command, "--optimizer", arguments.optimizer, "sgd|adam|adamw", "How steps are made");
  number(command, "--learning-rate", arguments.learning_rate, "Its peak");
  choice(command, "--rate-schedule", arguments.rate_schedule, "constant|step|cosine|one_cycle", "How the rate moves");
  number(command, "--warmup", arguments.warmup, "Share of the steps in which the rate rises from 0");
  number(command, "--momentum", arguments.momentum, "Of sgd");
  number(command, "--weight-decay", arguments.weight_decay, "Of all weights");
  add_loss(command, arguments.loss);
  number(command, "--label-smoothing", arguments.label_smoothing, "Share of the target that all classes get");
  number(command, "--clip-norm", arguments.clip_norm, "Most that the gradients' norm may be; 0: any");
  count(command, "--accumulate", arguments.accumulate, 1, "Batches a step");
  choice(command, "--precision", arguments.precision, "float32|bfloat16", "What convolutions and products compute in");
  add_metrics(command, arguments.metrics);
  whole_number(command.add_option("--seed", arguments.seed, "Of everything that is drawn"), 0,
               std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str();
}

void add_pruning_options(CLI::App& command, TrainArguments& arguments) {
  CLI::Option* const ratio = command
                                 .add_option("--pruning-ratio", arguments.pruning_ratio,
                                             "Remove this share of the channels, step by step, while training")
                                 ->type_name("RATIO");
  choice(command, "--context", arguments.context, "local|global|isomorphic", "What competes with what")->needs(ratio);
  command.add_option("--criterion", arguments.criterion, "How importance is told; see coppice prune --help")
      ->type_name("NAME")
      ->capture_default_str()
      ->needs(ratio);
  choice(command, "--schedule", arguments.schedule, "one_shot|iterative|linear|cos|agp|one_cycle|dsd",
         "How much goes by when")
      ->needs(ratio);
  command
      .add_option("--start", arguments.start,
                  "Share of the training after which pruning begins (default 0, one_shot 0.5, iterative and agp 0.2)")
      ->type_name("X")
      ->needs(ratio);
  number(command, "--end", arguments.end, "Share of the training after which it is done")->needs(ratio);
}

void add_checkpoint_options(CLI::App& command, TrainArguments& arguments) {
  add_file(command, "--history", arguments.history, "Write every epoch's numbers there: .csv or .json");
  CLI::Option* const checkpoint =
      add_file(command, "--checkpoint", arguments.checkpoint, "Where a training that is stopped is saved");
  count(command, "--checkpoint-steps", arguments.checkpoint_steps, 0, "Save there every N steps, too")
      ->needs(checkpoint);
  command.add_flag("--resume", arguments.resume, "Go on from the checkpoint, with the same other options")
      ->needs(checkpoint);
}

CLI::App* add_trainer(CLI::App& app, TorchServices* services, const std::string& name, const std::string& description,
                      const std::shared_ptr<TrainArguments>& arguments, const std::string& model) {
  CLI::App* command = app.add_subcommand(name, description);
  add_file(*command, "MODEL", arguments->model, model)->required();
  add_file(*command, "-o,--out", arguments->out, "ONNX file to write")->required();
  add_data(*command, arguments->data);
  add_training_data(*command, arguments->training);
  add_training_options(*command, *arguments);
  add_pruning_options(*command, *arguments);
  add_checkpoint_options(*command, *arguments);
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->train(*arguments);
  });
  return command;
}

}  // namespace

void add_train(CLI::App& app, TorchServices* services) {
  const auto arguments = std::make_shared<TrainArguments>();
  arguments->learning_rate = 0.1;
  arguments->epochs = 10;
  CLI::App* command = add_trainer(app, services, "train", "Train a model, and prune it meanwhile if asked", arguments,
                                  "ONNX file, or zoo:NAME for fresh weights");
  command->add_flag("--keep-zeros", arguments->keep_zeros, "Weights of layers that are zero in MODEL stay zero");
  command->footer(
      "coppice train zoo:fashion_resnet20 --data fashion-mnist -o base.onnx\n"
      "coppice train base.onnx --data fashion-mnist --pruning-ratio 40% \\\n"
      "  --schedule one_cycle --context global -o small.onnx");
}

void add_finetune(CLI::App& app, TorchServices* services) {
  const auto arguments = std::make_shared<TrainArguments>();
  arguments->learning_rate = 0.01;
  arguments->epochs = 3;
  CLI::App* command = add_trainer(app, services, "finetune", "Train a pruned model on to recover what the cut cost",
                                  arguments, "ONNX file");
  arguments->keep_zeros = true;
  command->add_flag_callback(
      "--regrow", [arguments] { arguments->keep_zeros = false; },
      "Weights of layers that are zero in MODEL may grow; else they stay zero");
  CLI::Option* const teacher = add_file(*command, "--teacher", arguments->teacher,
                                        "Learn from this model's outputs too, such as the original's");
  choice(*command, "--distillation", arguments->distillation, "soft_target|logits|decoupled",
         "How outputs are compared")
      ->needs(teacher);
  number(*command, "--temperature", arguments->temperature, "By which logits are divided then")->needs(teacher);
  number(*command, "--alpha", arguments->alpha, "Weight of the teacher against the targets, 0 to 1")->needs(teacher);
  command->footer(
      "coppice finetune small.onnx --data fashion-mnist -o recovered.onnx\n"
      "coppice finetune small.onnx --teacher base.onnx --data fashion-mnist \\\n"
      "  -o recovered.onnx");
}

void add_sensitivity(CLI::App& app, TorchServices* services) {
  const auto arguments = std::make_shared<SensitivityArguments>();
  CLI::App* command =
      app.add_subcommand("sensitivity", "Measure what a model loses when one group of layers at a time is cut");
  add_file(*command, "MODEL", arguments->model, "ONNX file")->required();
  add_data(*command, arguments->data);
  command->add_option("--ratios", arguments->ratios, "How much of each group is cut")
      ->type_name("R,...")
      ->delimiter(',')
      ->default_str("10%,30%,50%");
  add_file(*command, "-o,--out", arguments->out, "JSON file for coppice prune --layer-from");
  count(*command, "--samples", arguments->samples, 0, "Measure on the first N samples; 0: all");
  command->add_option("--metric", arguments->metric, "accuracy, perplexity, top5 and the like, or loss")
      ->type_name("NAME")
      ->capture_default_str();
  add_loss(*command, arguments->loss);
  command->add_option("--criterion", arguments->criterion, "How importance is told; see coppice prune --help")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--ignore", arguments->ignored, "Leave the outputs of layers with matching names; repeatable")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  whole_number(command->add_option("--seed", arguments->seed, "Of everything that is drawn"), 0,
               std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str();
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice sensitivity base.onnx --data fashion-mnist --samples 2000 -o s.json\n"
      "coppice prune base.onnx --layer-from s.json --target-macs 50% -o small.onnx");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->sensitivity(*arguments);
  });
}

void add_evaluate(CLI::App& app, TorchServices* services) {
  const auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "Measure a model's accuracy and loss on data");
  add_file(*command, "MODEL", arguments->model, "ONNX file")->required();
  add_data(*command, arguments->data);
  command->add_flag("--test", arguments->test, "Take the part of the data that is for tests");
  add_loss(*command, arguments->loss);
  add_metrics(*command, arguments->metrics);
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer("coppice evaluate small.onnx --data fashion-mnist --test");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->evaluate(*arguments);
  });
}

void add_run_recipe(CLI::App& app, TorchServices* services) {
  const auto arguments = std::make_shared<RecipeArguments>();
  CLI::App* command =
      app.add_subcommand("run-recipe", "Go the whole way by a TOML file: train, prune, recover, evaluate, export");
  add_file(*command, "RECIPE", arguments->recipe, "TOML file; see docs/recipes.md")->required();
  add_file(*command, "--output-dir", arguments->folder,
           "Everything is written there (default: a folder here, named as RECIPE without .toml)");
  command->add_flag("--resume", arguments->resume, "Go on where an earlier run of the recipe was stopped");
  add_file(*command, "--base", arguments->base,
           "Folder of a run with the same seed, [data], [model] and [train]: its trained networks are taken");
  command->add_flag("--baselines", arguments->baselines,
                    "Also the small network from fresh weights, and channels drawn at random, at the same budget");
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print the report as one JSON object");
  command->footer(
      "coppice run-recipe recipe.toml\n"
      "coppice run-recipe recipe.toml --resume\n"
      "coppice run-recipe recipe.toml --resume --baselines\n"
      "coppice run-recipe other.toml --base recipe --output-dir other-1");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->run_recipe(*arguments);
  });
}

}  // namespace coppice::cli
