#include <limits>
#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

void add_device(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "Where to compute")->type_name("cpu|cuda")->default_str("cpu");
}

void add_seed(CLI::App& command, std::uint64_t& seed, const std::string& description) {
  whole_number(command.add_option("--seed", seed, description), 0, std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace

void add_run(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Run a model on tensors from .npy and .npz files");
  add_file(*command, "MODEL", arguments->model, "ONNX file")->required();
  command
      ->add_option("--input", arguments->inputs,
                   "What to feed an input: x=image.npy, or x=batch.npz[:ARRAY]; others get random numbers; repeatable")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
  command->add_option("--output-dir", arguments->output_dir, "Write every output there, as NAME.npy")->type_name("DIR");
  add_shape_option(*command, arguments->common);
  add_seed(*command, arguments->seed, "Of the random numbers");
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice run model.onnx\n"
      "coppice run model.onnx --input x=image.npy --output-dir results");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->run(*arguments);
  });
}

void add_verify(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand("verify", "Prove that a pruned model is a sound cut of the original");
  add_file(*command, "ORIGINAL", arguments->original, "ONNX file")->required();
  add_file(*command, "PRUNED", arguments->pruned, "What coppice prune made of it")->required();
  add_file(*command, "--plan", arguments->plan, "The plan of the cut; otherwise it is found by comparing weights");
  whole_number(command->add_option("--samples", arguments->samples, "Random inputs to compare on"), 1, 1000000)
      ->type_name("N")
      ->capture_default_str();
  add_shape_option(*command, arguments->common);
  add_seed(*command, arguments->seed, "Of the random inputs");
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice verify model.onnx small.onnx\n"
      "coppice verify model.onnx small.onnx --plan plan.json --samples 10");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->verify(*arguments);
  });
}

void add_bench(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure how long a model takes, or two of them side by side");
  add_file(*command, "MODEL", arguments->model, "ONNX file")->required();
  add_file(*command, "OTHER", arguments->other, "A second one, such as the pruned model; they take turns");
  whole_number(command->add_option("--batch", arguments->batch, "Extent of a dynamic first dimension"), 1, 1000000)
      ->type_name("N")
      ->default_str("1");
  command->add_option("--seconds", arguments->seconds, "How long to measure")
      ->type_name("S")
      ->check(CLI::Range(0.01, 86400.0).description(""))
      ->capture_default_str();
  add_shape_option(*command, arguments->common);
  add_device(*command, arguments->device);
  add_threads_option(*command, arguments->common, threads_of_libtorch);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice bench model.onnx\n"
      "coppice bench model.onnx small.onnx --batch 8 --threads 1");
  command->callback([arguments, services] {
    if (!services) throw HandOver();
    services->bench(*arguments);
  });
}

}  // namespace coppice::cli
