#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "coppice/sparsity/sparsifier.hpp"

#include "cli/model_options.hpp"

namespace coppice::cli {

/// The command line of `coppice sparsify`, as written.
struct SparsifyArguments {
  std::string model, out, sparsity, granularity, context, criterion, pattern;
  std::vector<std::string> layers;
  sparsity::SparsifyOptions options;  ///< Numbers, flags and lists land here; its values are the defaults.
  // For criteria that look at data.
  std::string data, device;
  std::vector<double> mean, deviation;
  std::int64_t batch_size = 32;
  int batches = 0;
  bool owl = false;
  ModelOptions common;
  bool dry_run = false, json = false;
};

struct SparsifyOutcome {
  std::vector<sparsity::ZeroCount> layers;
  std::vector<sparsity::LeftDense> left;
  std::vector<double> errors;  ///< By layer, where a criterion looked at data: reconstruction_error().
  std::uint64_t bytes_before = 0, bytes_after = 0;  ///< Of the files; a dry run would change nothing.
};

std::string sparsify_text(const SparsifyArguments& arguments, const SparsifyOutcome& outcome);
nlohmann::ordered_json sparsify_json(const SparsifyArguments& arguments, const SparsifyOutcome& outcome);

}  // namespace coppice::cli
