#include "cli/sparsify_arguments.hpp"

#include <algorithm>
#include <limits>

#include "coppice/base/nearest.hpp"
#include "coppice/pruning/ratio.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/torch_criteria.hpp"

namespace coppice::cli {
namespace {

std::string_view context_name(sparsity::Context context) {
  return sparsity::to_string(context);
}

const TorchCriterion* scored_by_data(const SparsifyArguments& arguments) {
  const TorchCriterion* const criterion = find_torch_criterion(arguments.criterion);
  return criterion && criterion->needs != Needs::snapshot ? criterion : nullptr;
}

bool by_gradients(const SparsifyArguments& arguments) {
  const TorchCriterion* const criterion = scored_by_data(arguments);
  return criterion && criterion->needs == Needs::gradients;
}

// Those told from the weights first.
std::vector<std::string_view> criterion_names() {
  std::vector<std::string_view> out{"large_final", "l2", "small_final", "random", "lamp"};
  for (const TorchCriterion& criterion : torch_criteria())
    if (criterion.needs != Needs::snapshot) out.push_back(criterion.name);
  out.insert(out.end(), {"wanda", "sparse_gpt"});
  return out;
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) out.append(out.empty() ? "" : "|").append(name);
  return out;
}

void check_criterion(const std::string& name) {
  const std::vector<std::string_view> names = criterion_names();
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
    throw UsageError("--criterion: expected one of " + std::to_string(names.size()) + ", found '" + name +
                     "'; nearest: " + base::nearest_list(name, names));
}

/// Masks say by themselves what goes.
void check_replay(const CLI::App& command) {
  const auto refused = [](const std::string& name) {
    return UsageError("--masks decides by itself what goes; it cannot be combined with " + name);
  };
  for (const char* name : {"--sparsity", "--pattern", "--granularity", "--context", "--criterion", "--layer",
                           "--ignore", "--keep-classifier", "--seed"}) {
    if (command.get_option(name)->count() > 0) throw refused(name);
  }
  if (const std::string name = first_given(command, calibration_group); !name.empty()) throw refused(name);
}

/// No result may overwrite another, and none but OUT what the run reads.
void check_conflicts(const SparsifyArguments& arguments) {
  const auto refuse = [](const char* a, const std::string& x, const char* b, const std::string& y) {
    if (same_file(x, y)) throw UsageError(std::string(a) + " and " + b + " name the same file");
  };
  refuse("-o", arguments.out, "--masks-out", arguments.masks_out);
  refuse("-o", arguments.out, "--masks", arguments.masks);
  refuse("--masks-out", arguments.masks_out, "MODEL", arguments.model);
}

}  // namespace

bool goes_by_layers(const SparsifyArguments& arguments) {
  return arguments.criterion == "wanda" || arguments.criterion == "sparse_gpt";
}

bool looks_at_data(const SparsifyArguments& arguments) {
  return goes_by_layers(arguments) || by_gradients(arguments) ||
         (scored_by_data(arguments) && scored_by_data(arguments)->needs == Needs::activations);
}

void add_sparsify_options(CLI::App& command, SparsifyArguments& arguments) {
  sparsity::SparsifyOptions& options = arguments.options;
  add_file(command, "MODEL", arguments.model,
           "ONNX file; or a checkpoint in safetensors: file, index of several, or folder")
      ->required();
  add_file(command, "-o,--out", arguments.out,
           "Where to write the result, a folder for a checkpoint of several files; may be MODEL itself");
  command.add_option("--sparsity", arguments.sparsity, "Share of the weights to zero: 50%, 50 or 0.5")->type_name("R");
  command
      .add_option("--pattern", arguments.pattern,
                  "N:M keeps N of every M inputs, such as 2:4; AxB zeroes whole tiles of A outputs x B inputs")
      ->type_name("N:M|AxB");
  add_choice<sparsity::Granularity>(command, "--granularity", arguments.granularity, sparsity::to_string,
                                    "Which weights go together")
      ->default_str(std::string(to_string(options.granularity)));
  add_choice(command, "--context", arguments.context, context_name, "What competes: each layer, or all; of snip all")
      ->default_str(std::string(to_string(options.context)));
  command
      .add_option("--criterion", arguments.criterion, "What makes a weight important; those behind lamp look at --data")
      ->type_name(joined(criterion_names()))
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
  const std::string group = calibration_group;
  add_calibration_options(command, arguments.calibration);
  command.add_option("--loss", arguments.loss, "What the gradients are of")
      ->type_name("cross-entropy|mse")
      ->default_str("cross-entropy")
      ->group(group);
  command.add_flag("--owl", arguments.owl, "Layers with more outliers lose less (wanda, sparse_gpt)")->group(group);
  command.add_option("--device", arguments.device, "Where to compute")
      ->type_name("cpu|cuda")
      ->default_str("cpu")
      ->group(group);
  add_file(command, "--masks", arguments.masks, "Write the zeros of these masks instead of choosing");
  add_file(command, "--masks-out", arguments.masks_out, "Also write the masks, one bit a weight (safetensors)");
  add_choice(command, "--encoding", arguments.encoding_name, formats::to_string,
             "How the ONNX file stores weights; sparse_initializer where that is smaller")
      ->default_str(std::string(to_string(arguments.encoding)));
  command.add_flag("--dry-run", arguments.dry_run, "Do all but writing the model");
  command.add_flag("--json", arguments.json, "Print one JSON object");
  add_threads_option(command, arguments.common, threads_of_criteria);
}

void finish(SparsifyArguments& arguments, const CLI::App& command) {
  sparsity::SparsifyOptions& options = arguments.options;
  if (!arguments.masks.empty()) check_replay(command);
  check_conflicts(arguments);
  read_choice(arguments.pattern, sparsity::parse_pattern, options.pattern);
  const bool keeps = options.pattern.kind == sparsity::Pattern::Kind::keep_of;
  if (arguments.masks.empty() && arguments.sparsity.empty() && arguments.layers.empty() && !keeps)
    throw UsageError("how much? Give --sparsity, --layer, --pattern N:M or --masks");
  if (arguments.out.empty() && !arguments.dry_run) throw UsageError("-o FILE is missing (or --dry-run)");
  read_choice(arguments.granularity, sparsity::parse_granularity, options.granularity);
  read_choice(arguments.encoding_name, formats::parse_encoding, arguments.encoding);
  read_choice(arguments.context, sparsity::parse_context, options.context);
  check_criterion(arguments.criterion);
  if (!looks_at_data(arguments)) read_choice(arguments.criterion, importance::parse_criterion, options.criterion);
  if (looks_at_data(arguments) && arguments.calibration.data.empty())
    throw UsageError("--criterion " + arguments.criterion + ": it looks at data; give --data");
  // As its authors compare: all weights of the network.
  if (arguments.criterion == "snip" && arguments.context.empty()) options.context = sparsity::Context::global;
  if (goes_by_layers(arguments) &&
      (options.granularity != sparsity::Granularity::weight || options.context != sparsity::Context::local))
    throw UsageError("--criterion " + arguments.criterion +
                     ": it chooses single weights, layer by layer; leave --granularity and --context out");
  if (const std::string name = first_given(command, calibration_group); !looks_at_data(arguments) && !name.empty())
    throw UsageError(name + " has no effect: the criterion looks at the weights alone");
  if (arguments.owl && !goes_by_layers(arguments))
    throw UsageError("--owl has no effect: it goes with --criterion wanda or sparse_gpt");
  if (!arguments.loss.empty() && !by_gradients(arguments))
    throw UsageError("--loss has no effect: the criterion does not look at gradients");
  if (!arguments.loss.empty() && arguments.loss != "cross-entropy" && arguments.loss != "mse")
    throw UsageError("--loss: expected cross-entropy or mse, found '" + arguments.loss + "'");
  if (keeps && !arguments.context.empty())
    throw UsageError("--context has no effect: with --pattern " + arguments.pattern + " every " +
                     std::to_string(options.pattern.b) + " weights compete among themselves");
  options.sparsity = arguments.sparsity.empty() ? 0 : pruning::parse_sparsity(arguments.sparsity);
  options.layers = parse_layers(arguments.layers, pruning::parse_sparsity);
  if (!arguments.sparsity.empty() && sparsity::contradicts(options.pattern, options.sparsity))
    throw UsageError("--pattern " + arguments.pattern + " makes its own sparsity, which is not --sparsity " +
                     arguments.sparsity);
}

}  // namespace coppice::cli
