#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/ratio.hpp"

#include "cli/app.hpp"
#include "cli/model_files.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/sparsify_report.hpp"
#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

std::string_view context_name(sparsity::Context context) {
  return sparsity::to_string(context);
}

void add_options(CLI::App& command, SparsifyArguments& arguments) {
  sparsity::SparsifyOptions& options = arguments.options;
  add_file(command, "MODEL", arguments.model, "ONNX file")->required();
  add_file(command, "-o,--out", arguments.out, "Where to write the result; may be MODEL itself");
  command.add_option("--sparsity", arguments.sparsity, "Share of the weights to zero: 50%, 50 or 0.5")->type_name("R");
  command
      .add_option("--pattern", arguments.pattern,
                  "N:M keeps N of every M inputs, such as 2:4; AxB zeroes whole tiles of A outputs x B inputs")
      ->type_name("N:M|AxB");
  add_choice<sparsity::Granularity>(command, "--granularity", arguments.granularity, sparsity::to_string,
                                    "Which weights go together")
      ->default_str(std::string(to_string(options.granularity)));
  add_choice(command, "--context", arguments.context, context_name, "What competes: each layer, or all")
      ->default_str(std::string(to_string(options.context)));
  command
      .add_option("--criterion", arguments.criterion,
                  "What makes a weight important; wanda and sparse_gpt look at --data")
      ->type_name("large_final|l2|small_final|random|lamp|wanda|sparse_gpt")
      ->default_str(std::string(to_string(options.criterion)));
  command
      .add_option("--layer", arguments.layers,
                  "Another sparsity for a layer, or for all below a dotted name: layer1.0=20%; repeatable")
      ->type_name("NAME=R")
      ->allow_extra_args(false);
  command.add_option("--ignore", options.ignore, "Leave layers with matching names dense; repeatable")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  command.add_flag("--keep-classifier", options.keep_classifier, "Leave the output layers dense");
  whole_number(command.add_option("--seed", options.seed, "Of the criterion random"), 0,
               std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str();
  const std::string group = "Data, for criteria that look at it";
  command.add_option("--data", arguments.data, "Samples: x.npy, fashion-mnist:512, idx:FOLDER ... see docs/data.md")
      ->type_name("DATA")
      ->group(group);
  add_normalisation(command, arguments.mean, arguments.deviation, group);
  whole_number(command.add_option("--batches", arguments.batches, "Look at N batches only, 0 for all of the data"), 0,
               1000000000)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  whole_number(command.add_option("--batch-size", arguments.batch_size, "Samples a batch"), 1, 1000000)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.add_flag("--owl", arguments.owl, "Layers with more outliers lose less")->group(group);
  command.add_option("--device", arguments.device, "Where to compute")
      ->type_name("cpu|cuda")
      ->default_str("cpu")
      ->group(group);
  command.add_flag("--dry-run", arguments.dry_run, "Do all but writing the model");
  command.add_flag("--json", arguments.json, "Print one JSON object");
  add_threads_option(command, arguments.common);
}

bool looks_at_data(const SparsifyArguments& arguments) {
  return arguments.criterion == "wanda" || arguments.criterion == "sparse_gpt";
}

/// Checks what must go together (UsageError) and reads the texts into `options`.
void finish(SparsifyArguments& arguments) {
  sparsity::SparsifyOptions& options = arguments.options;
  if (arguments.sparsity.empty() && arguments.layers.empty() && arguments.pattern.find(':') == std::string::npos)
    throw UsageError("how much? Give --sparsity, --layer or --pattern N:M");
  if (arguments.out.empty() && !arguments.dry_run) throw UsageError("-o FILE is missing (or --dry-run)");
  read_choice(arguments.granularity, sparsity::parse_granularity, options.granularity);
  read_choice(arguments.context, sparsity::parse_context, options.context);
  if (!looks_at_data(arguments)) read_choice(arguments.criterion, importance::parse_criterion, options.criterion);
  if (looks_at_data(arguments) && arguments.data.empty())
    throw UsageError("--criterion " + arguments.criterion + ": it looks at data; give --data");
  if (looks_at_data(arguments) &&
      (options.granularity != sparsity::Granularity::weight || options.context != sparsity::Context::local))
    throw UsageError("--criterion " + arguments.criterion +
                     ": it chooses single weights, layer by layer; leave --granularity and --context out");
  if (!looks_at_data(arguments) && (!arguments.data.empty() || arguments.owl))
    throw UsageError(std::string(arguments.owl ? "--owl" : "--data") +
                     " has no effect: the criterion looks at the weights alone");
  read_choice(arguments.pattern, sparsity::parse_pattern, options.pattern);
  options.sparsity = arguments.sparsity.empty() ? 0 : pruning::parse_sparsity(arguments.sparsity);
  options.layers = parse_layers(arguments.layers, pruning::parse_sparsity);
  const sparsity::Pattern& pattern = options.pattern;
  if (pattern.kind != sparsity::Pattern::Kind::keep_of || arguments.sparsity.empty()) return;
  const double own = 1 - static_cast<double>(pattern.a) / static_cast<double>(pattern.b);
  if (std::abs(own - options.sparsity) > 1e-9) {
    throw UsageError("--pattern " + arguments.pattern + " makes its own sparsity, which is not --sparsity " +
                     arguments.sparsity);
  }
}

/// By the weights alone.
SparsifyOutcome by_weights(const SparsifyArguments& arguments, graph::Model& model) {
  const sparsity::Sparsifier sparsifier(model, arguments.options);
  return {.layers = sparsifier.apply(model), .left = sparsifier.left()};
}

void sparsify(SparsifyArguments& arguments, TorchServices* services) {
  finish(arguments);
  if (looks_at_data(arguments) && !services) throw HandOver();
  if (!arguments.dry_run) check_target(arguments.out);
  if (arguments.dry_run && !arguments.out.empty()) say("--dry-run: nothing is written to " + arguments.out);
  base::set_thread_count(arguments.common.threads);
  Bar bar;
  bar.begin("read", 0);
  graph::Model model = formats::read_onnx(arguments.model);
  bar.end();
  if (!arguments.dry_run)
    spare_side_files("-o", arguments.out, !same_file(arguments.out, arguments.model), arguments.model, model);
  SparsifyOutcome outcome;
  const std::uint64_t bytes = model.source_bytes;
  try {
    outcome = looks_at_data(arguments) ? services->sparsify(arguments, model) : by_weights(arguments, model);
  } catch (const Error& error) {
    throw Error(arguments.model + ": " + error.what());
  }
  outcome.bytes_before = outcome.bytes_after = bytes;
  if (!arguments.dry_run) {
    formats::write_onnx(model, arguments.out, {.progress = &bar});
    std::uint64_t constants = 0;
    for (const graph::Initializer& initializer : model.graph.initializers) constants += initializer.tensor.bytes.size();
    outcome.bytes_after = written_bytes(model, arguments.out, constants);
  }
  if (arguments.json) {
    print_json(sparsify_json(arguments, outcome));
  } else {
    print(sparsify_text(arguments, outcome));
  }
}

}  // namespace

void add_sparsify(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<SparsifyArguments>();
  CLI::App* command = app.add_subcommand("sparsify", "Write zeros into a model's weights; shapes stay");
  add_options(*command, *arguments);
  command->footer(
      "coppice sparsify model.onnx -o sparse.onnx --sparsity 50%\n"
      "coppice sparsify model.onnx -o sparse.onnx --sparsity 80% --context global\n"
      "coppice sparsify model.onnx -o sparse.onnx --pattern 2:4 --keep-classifier\n"
      "coppice sparsify m.onnx -o s.onnx --pattern 2:4 --criterion wanda --data x.npy\n"
      "coppice sparsify model.onnx --sparsity 50% --layer layer4=90% --dry-run");
  command->callback([arguments, services] { sparsify(*arguments, services); });
}

}  // namespace coppice::cli
