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
  command.add_option("--criterion", arguments.criterion, "What makes a weight important")
      ->type_name("large_final|l2|small_final|random|lamp")
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
  command.add_flag("--dry-run", arguments.dry_run, "Do all but writing the model");
  command.add_flag("--json", arguments.json, "Print one JSON object");
  add_threads_option(command, arguments.common);
}

/// Checks what must go together (UsageError) and reads the texts into `options`.
void finish(SparsifyArguments& arguments) {
  sparsity::SparsifyOptions& options = arguments.options;
  if (arguments.sparsity.empty() && arguments.layers.empty() && arguments.pattern.find(':') == std::string::npos)
    throw UsageError("how much? Give --sparsity, --layer or --pattern N:M");
  if (arguments.out.empty() && !arguments.dry_run) throw UsageError("-o FILE is missing (or --dry-run)");
  read_choice(arguments.granularity, sparsity::parse_granularity, options.granularity);
  read_choice(arguments.context, sparsity::parse_context, options.context);
  read_choice(arguments.criterion, importance::parse_criterion, options.criterion);
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

void sparsify(SparsifyArguments& arguments) {
  finish(arguments);
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
  outcome.bytes_before = outcome.bytes_after = model.source_bytes;
  try {
    const sparsity::Sparsifier sparsifier(model, arguments.options);
    outcome.layers = sparsifier.apply(model);
    outcome.left = sparsifier.left();
  } catch (const Error& error) {
    throw Error(arguments.model + ": " + error.what());
  }
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

void add_sparsify(CLI::App& app) {
  auto arguments = std::make_shared<SparsifyArguments>();
  CLI::App* command = app.add_subcommand("sparsify", "Write zeros into a model's weights; shapes stay");
  add_options(*command, *arguments);
  command->footer(
      "coppice sparsify model.onnx -o sparse.onnx --sparsity 50%\n"
      "coppice sparsify model.onnx -o sparse.onnx --sparsity 80% --context global\n"
      "coppice sparsify model.onnx -o sparse.onnx --pattern 2:4 --keep-classifier\n"
      "coppice sparsify model.onnx --sparsity 50% --layer layer4=90% --dry-run");
  command->callback([arguments] { sparsify(*arguments); });
}

}  // namespace coppice::cli
