#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "coppice/sparsity/sparsifier.hpp"

#include "cli/sizes.hpp"
#include "cli/sparsify_arguments.hpp"

namespace coppice::cli {

struct SparsifyOutcome {
  std::vector<sparsity::ZeroCount> layers;
  std::vector<sparsity::LeftDense> left;
  std::vector<sparsity::LayerMask> masks;    ///< What was zeroed; those of data are told from the zeros.
  std::vector<double> errors;                ///< By layer, where a criterion looked at data: reconstruction_error().
  std::vector<formats::Encoding> encodings;  ///< By layer, where not all are dense.
  std::uint64_t bytes_before = 0, bytes_after = 0;  ///< Of the files; after a dry run what it would have written.
  std::vector<EncodedSize> sizes;                   ///< Of the result.
};

std::string sparsify_text(const SparsifyArguments& arguments, const SparsifyOutcome& outcome);
nlohmann::ordered_json sparsify_json(const SparsifyArguments& arguments, const SparsifyOutcome& outcome);

}  // namespace coppice::cli
