#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "coppice/pruning/prune.hpp"

#include "cli/calibration_options.hpp"
#include "cli/model_options.hpp"

namespace coppice::cli {

/// The command line of `coppice prune`, as written.
struct PruneArguments {
  std::string model, out, twin, plan, plan_out, layer_from;
  std::string ratio, target_macs, target_parameters;
  std::string context, criterion, reduction, normalizer, schedule, attention, grouped;
  std::vector<std::string> layers, outputs;
  pruning::PruneOptions options;  ///< Numbers, flags and lists land here; its values are the defaults.
  ModelOptions common;
  bool soft = false, dry_run = false, json = false;
  // For what needs libtorch: see TorchServices.
  CalibrationArguments calibration;
  std::string loss, initial, device;
  bool verify = false;
};

/// Whether this is beyond what the program does without libtorch.
bool needs_torch(const PruneArguments& arguments);

/// What of grouped convolutions is cut.
enum class Grouped { channels, groups };

/// The values of --attention and --grouped-conv. They throw Error, which lists the names, on any other text.
coupling::Attention parse_attention(std::string_view text);
Grouped parse_grouped(std::string_view text);

void add_prune_options(CLI::App& command, PruneArguments& arguments);

/// Checks what must go together (UsageError) and reads the texts into `options`. Throws Error for a ratio out of range.
void finish(PruneArguments& arguments, const CLI::App& command);

}  // namespace coppice::cli
