#include "cli/prune_arguments.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"
#include "coppice/pruning/ratio.hpp"

#include "cli/app.hpp"
#include "cli/torch_criteria.hpp"

namespace coppice::cli {
namespace {

using coupling::Attention;
using pruning::Context;

constexpr base::Names<Attention, 2> attentions{{{Attention::heads, "heads"}, {Attention::head_dim, "head-dim"}}};
constexpr base::Names<Grouped, 2> grouped_cuts{{{Grouped::channels, "channels"}, {Grouped::groups, "groups"}}};

std::string_view context_name(Context context) {
  return pruning::to_string(context);
}
std::string_view attention_name(Attention attention) {
  return base::find_name(attentions, attention);
}

std::string_view grouped_name(Grouped grouped) {
  return base::find_name(grouped_cuts, grouped);
}

double share_to_keep(const std::string& option, const std::string& text) {
  try {
    const double share = pruning::parse_ratio(text);
    if (share > 0) return share;
  } catch (const Error&) {
  }
  throw Error(option + ": expected the share to keep, above 0 and below 100 percent, found '" + text + "'");
}

/// What decides the plan, as the user wrote it. What only says where results go, or how fast, stays out, so that the
/// same decision is the same plan.
std::map<std::string, std::string> given(const CLI::App& command) {
  static constexpr std::array<std::string_view, 26> deciding{
      "ratio",        "context",   "criterion",  "reduction", "normalizer",  "layer",         "ignore",
      "round-to",     "min-units", "steps",      "schedule",  "target-macs", "target-params", "attention",
      "grouped-conv", "seed",      "exact-only", "outputs",   "data",        "loss",          "batches",
      "batch-size",   "initial",   "mean",       "deviation", "crop"};
  std::map<std::string, std::string> out;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (std::find(deciding.begin(), deciding.end(), name) == deciding.end()) continue;
    for (const std::string& text : option->results()) out[name].append(out[name].empty() ? "" : ",").append(text);
  }
  return out;
}

std::string criterion_names() {
  std::string out = choices<importance::Criterion>(importance::to_string);
  for (const TorchCriterion& criterion : torch_criteria()) out.append("|").append(criterion.name);
  return out;
}

constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

void add_amount(CLI::App& command, PruneArguments& arguments) {
  const std::string group = "How much";
  pruning::SelectOptions& select = arguments.options.select;
  command.add_option("--ratio", arguments.ratio, "Share of every group's units to remove: 30%, 30 or 0.3")
      ->type_name("R")
      ->group(group);
  command
      .add_option("--layer", arguments.layers,
                  "Another ratio for a layer, or for all below a dotted name: layer1.0=20%; repeatable")
      ->type_name("NAME=R")
      ->allow_extra_args(false)
      ->group(group);
  add_file(command, "--layer-from", arguments.layer_from,
           "Ratios by layer that meet --target-macs or --target-params, from a sensitivity file")
      ->group(group);
  command.add_option("--ignore", select.ignore, "Leave the outputs of layers with matching names whole; repeatable")
      ->type_name("GLOB")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--target-macs", arguments.target_macs, "Search the ratio that keeps this share of the MACs")
      ->type_name("R")
      ->group(group);
  command
      .add_option("--target-params", arguments.target_parameters,
                  "Search the ratio that keeps this share of the parameters")
      ->type_name("R")
      ->group(group);
  whole_number(command.add_option("--round-to", select.round_to, "Keep multiples of N units where possible"), 1, most)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  whole_number(command.add_option("--min-units", select.min_units, "Keep at least N units of every group"), 1, most)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  whole_number(command.add_option("--steps", select.steps, "Remove in N steps, scoring anew after each"), 1,
               std::numeric_limits<int>::max())
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  add_choice<pruning::Schedule>(command, "--schedule", arguments.schedule, pruning::to_string, "How the steps grow")
      ->default_str(std::string(to_string(select.schedule)))
      ->group(group);
}

void add_choosing(CLI::App& command, PruneArguments& arguments) {
  const std::string group = "Which units";
  pruning::SelectOptions& select = arguments.options.select;
  add_choice(command, "--context", arguments.context, context_name, "What competes: each group, all, or alike groups")
      ->default_str(std::string(context_name(select.context)))
      ->group(group);
  command
      .add_option("--criterion", arguments.criterion,
                  "What makes a unit important; those from gradient on need --data, those from large_init on --initial")
      ->type_name(criterion_names())
      ->default_str(std::string(importance::to_string(select.criterion)))
      ->group(group);
  add_choice<importance::Reduction>(command, "--reduction", arguments.reduction, importance::to_string,
                                    "How the scores of a unit's slices become one")
      ->default_str(std::string(importance::to_string(select.reduction)))
      ->group(group);
  add_choice<importance::Normalizer>(command, "--normalizer", arguments.normalizer, importance::to_string,
                                     "How groups are made comparable (default none for local, otherwise mean)")
      ->group(group);
  add_choice(command, "--attention", arguments.attention, attention_name, "What of attention is cut")
      ->default_str(std::string(attention_name(arguments.options.prepare.coupling.attention)))
      ->group(group);
  add_choice(command, "--grouped-conv", arguments.grouped, grouped_name, "What of grouped convolutions is cut")
      ->default_str(std::string(grouped_name(Grouped::channels)))
      ->group(group);
  whole_number(command.add_option("--seed", select.seed, "Of the criterion random"), 0,
               std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  command.add_flag("--exact-only", arguments.options.exact_only, "Leave whatever could only be cut inexactly")
      ->group(group);
}

void add_data(CLI::App& command, PruneArguments& arguments) {
  const std::string group = calibration_group;
  add_calibration_options(command, arguments.calibration);
  command.add_option("--loss", arguments.loss, "What the gradients are of")
      ->type_name("cross-entropy|mse")
      ->default_str("cross-entropy")
      ->group(group);
  add_file(command, "--initial", arguments.initial, "The model as it was before training")->group(group);
  command.add_option("--device", arguments.device, "Where to compute")
      ->type_name("cpu|cuda")
      ->default_str("cpu")
      ->group(group);
}

void add_results(CLI::App& command, PruneArguments& arguments) {
  const std::string group = "Results";
  add_file(command, "-o,--out", arguments.out, "Where to write the result; may be MODEL itself")->group(group);
  command.add_flag("--soft", arguments.soft, "Write zeros instead of removing: the shapes stay")->group(group);
  add_file(command, "--twin", arguments.twin, "Also write the proof: MODEL with the removed slices silenced")
      ->group(group);
  add_file(command, "--plan", arguments.plan, "Replay this plan instead of choosing")->group(group);
  add_file(command, "--plan-out", arguments.plan_out, "Also write the plan")->group(group);
  command.add_flag("--verify", arguments.verify, "Run the proof before anything is written, and stop where it fails")
      ->group(group);
  command.add_flag("--dry-run", arguments.dry_run, "Do all but writing the model")->group(group);
  command.add_flag("--json", arguments.json, "Print one JSON object")->group(group);
}

void check_usage(const PruneArguments& arguments, const CLI::App& command) {
  const bool chosen = !arguments.ratio.empty() || !arguments.layers.empty() || !arguments.layer_from.empty() ||
                      !arguments.target_macs.empty() || !arguments.target_parameters.empty();
  if (!chosen && arguments.plan.empty())
    throw UsageError("how much? Give --ratio, --layer, --target-macs, --target-params or --plan");
  if (!arguments.target_macs.empty() && !arguments.target_parameters.empty())
    throw UsageError("--target-macs and --target-params: expected one of them");
  if (!arguments.layer_from.empty()) {
    if (!arguments.ratio.empty() || !arguments.layers.empty())
      throw UsageError("--layer-from gives every layer its ratio; it cannot be combined with --ratio or --layer");
    if (arguments.target_macs.empty() && arguments.target_parameters.empty() && arguments.plan.empty())
      throw UsageError("--layer-from: what is to be left? Give --target-macs or --target-params");
  }
  const TorchCriterion* criterion = find_torch_criterion(arguments.criterion);
  const bool snapshot = criterion && criterion->needs == Needs::snapshot;
  if (criterion && !snapshot && arguments.calibration.data.empty())
    throw UsageError("--criterion " + arguments.criterion + ": it looks at data; give --data");
  if (snapshot && arguments.initial.empty())
    throw UsageError("--criterion " + arguments.criterion + ": it compares with the first weights; give --initial");
  if (!arguments.initial.empty() && !snapshot)
    throw UsageError("--initial has no effect: the criterion looks at the weights of the model alone");
  std::vector<std::string> allowed{"--initial"};
  if (needs_torch(arguments)) allowed.push_back("--device");
  if (const std::string name = first_given(command, calibration_group, allowed);
      !name.empty() && (!criterion || snapshot))
    throw UsageError(name + " has no effect: the criterion looks at the weights alone");
  if (!arguments.loss.empty() && criterion && criterion->needs != Needs::gradients)
    throw UsageError("--loss has no effect: the criterion does not look at gradients");
  if (!arguments.loss.empty() && arguments.loss != "cross-entropy" && arguments.loss != "mse")
    throw UsageError("--loss: expected cross-entropy or mse, found '" + arguments.loss + "'");
  if (arguments.out.empty() && !arguments.dry_run) throw UsageError("-o FILE is missing (or --dry-run)");
}

/// A plan says by itself what goes: what would choose beside it has no effect, and is a mistake.
void check_replay(const CLI::App& command) {
  const auto refused = [](const std::string& name) {
    return UsageError("--plan decides by itself what goes; it cannot be combined with " + name);
  };
  for (const char* name :
       {"--ratio", "--layer", "--layer-from", "--ignore", "--target-macs", "--target-params", "--round-to",
        "--min-units", "--steps", "--schedule", "--context", "--criterion", "--reduction", "--normalizer", "--seed"}) {
    if (command.get_option(name)->count() > 0) throw refused(name);
  }
  // The proof may run elsewhere.
  const bool proof = command.get_option("--verify")->count() > 0;
  if (const std::string name = first_given(command, calibration_group, {proof ? "--device" : ""}); !name.empty())
    throw refused(name);
}

}  // namespace

coupling::Attention parse_attention(std::string_view text) {
  return base::parse_name("attention", attentions, text);
}

Grouped parse_grouped(std::string_view text) {
  return base::parse_name("grouped-conv", grouped_cuts, text);
}

void add_prune_options(CLI::App& command, PruneArguments& arguments) {
  add_file(command, "MODEL", arguments.model, "ONNX file")->required();
  add_results(command, arguments);
  add_amount(command, arguments);
  add_choosing(command, arguments);
  add_data(command, arguments);
  command
      .add_option("--outputs", arguments.options.prepare.outputs,
                  "Keep only these graph outputs; further ones lock much")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group("Model");
  add_shape_option(command, arguments.common);
  add_threads_option(command, arguments.common, threads_of_criteria);
  command.get_option("--shape")->group("Model");
  command.get_option("--threads")->group("Model");
}

bool needs_torch(const PruneArguments& arguments) {
  return arguments.verify || find_torch_criterion(arguments.criterion);
}

void finish(PruneArguments& arguments, const CLI::App& command) {
  if (!arguments.plan.empty()) check_replay(command);
  check_usage(arguments, command);
  pruning::PruneOptions& options = arguments.options;
  pruning::SelectOptions& select = options.select;
  read_choice(arguments.context, pruning::parse_context, select.context);
  if (!find_torch_criterion(arguments.criterion))
    read_choice(arguments.criterion, importance::parse_criterion, select.criterion);
  read_choice(arguments.reduction, importance::parse_reduction, select.reduction);
  read_choice(arguments.schedule, pruning::parse_schedule, select.schedule);
  read_choice(arguments.attention, parse_attention, options.prepare.coupling.attention);
  Grouped grouped = Grouped::channels;
  read_choice(arguments.grouped, parse_grouped, grouped);
  options.prepare.coupling.whole_groups = grouped == Grouped::groups;
  if (!arguments.normalizer.empty()) {
    select.normalizer.emplace();
    read_choice(arguments.normalizer, importance::parse_normalizer, *select.normalizer);
  }
  options.prepare.shapes = parse_shapes(arguments.common.shapes);
  if (!arguments.ratio.empty()) select.ratio = pruning::parse_ratio(arguments.ratio);
  if (!arguments.target_macs.empty()) select.target_macs = share_to_keep("--target-macs", arguments.target_macs);
  if (!arguments.target_parameters.empty())
    select.target_parameters = share_to_keep("--target-params", arguments.target_parameters);
  select.layers = parse_layers(arguments.layers, pruning::parse_ratio);
  options.given = given(command);
}

}  // namespace coppice::cli
