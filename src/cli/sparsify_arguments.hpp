#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/formats/onnx.hpp"
#include "coppice/sparsity/sparsifier.hpp"

#include "cli/calibration_options.hpp"
#include "cli/model_options.hpp"

namespace coppice::cli {

/// The command line of `coppice sparsify`, as written.
struct SparsifyArguments {
  std::string model, out, sparsity, granularity, context, criterion, pattern, masks, masks_out, encoding_name;
  std::vector<std::string> layers;
  sparsity::SparsifyOptions options;  ///< Numbers, flags and lists land here; its values are the defaults.
  formats::Encoding encoding = formats::Encoding::dense;
  // For criteria that look at data.
  CalibrationArguments calibration;
  std::string loss, device;
  bool owl = false;
  ModelOptions common;
  bool dry_run = false, json = false;
};

void add_sparsify_options(CLI::App& command, SparsifyArguments& arguments);

/// Whether the criterion is one of libtorch's, which looks at data.
bool looks_at_data(const SparsifyArguments& arguments);
/// Whether, of those, it goes layer by layer, each fed by what is sparse already.
bool goes_by_layers(const SparsifyArguments& arguments);

/// Checks what must go together (UsageError) and reads the texts into `options`. Throws Error for a share out of range.
void finish(SparsifyArguments& arguments, const CLI::App& command);

}  // namespace coppice::cli
