#include "cli/layer_from.hpp"

#include <cstdio>

#include "coppice/analysis/layer_ratios.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

namespace coppice::cli {
namespace {

analysis::Sensitivity read(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  const auto bytes = file->bytes();
  return analysis::Sensitivity::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// The plan tells the ratios as --layer would: the file may not be there any more when it is read.
std::string as_given(const analysis::LayerRatios& ratios) {
  std::string out;
  for (const auto& [name, ratio] : ratios) {
    char text[16];
    std::snprintf(text, sizeof text, "=%.6f", ratio);
    out.append(out.empty() ? "" : ",").append(name).append(text);
  }
  return out;
}

}  // namespace

void take_layer_ratios(PruneArguments& arguments, const graph::Model& model) {
  pruning::PruneOptions& options = arguments.options;
  pruning::SelectOptions& select = options.select;
  pruning::Prepared prepared = pruning::prepare(model, options.prepare);
  if (options.exact_only) lock_inexact(prepared);
  try {
    const analysis::Sensitivity sensitivity = read(arguments.layer_from);
    if (!select.ignore.empty()) pruning::StepwiseSelection(prepared, {.ignore = select.ignore});  // locks them
    const analysis::LayerRatios ratios = layer_ratios(sensitivity, prepared, select);
    select.layers.assign(ratios.begin(), ratios.end());
    options.given["layer"] = as_given(ratios);
  } catch (const Error& error) {
    throw Error(arguments.layer_from + ": " + error.what());
  }
  select.target_macs.reset();
  select.target_parameters.reset();
}

}  // namespace coppice::cli
