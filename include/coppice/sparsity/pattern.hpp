#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/patterns.hpp"

namespace coppice::sparsity {

/// A regular shape that zeros take.
struct Pattern {
  enum class Kind {
    none,
    keep_of,  ///< "2:4": of every 4 weights along the input axis 2 stay, which makes the sparsity.
    tiles,    ///< "4x8": tiles of 4 outputs x 8 inputs go to zero whole. A convolution is the matrix O x (I*H*W),
              ///< its columns in the order in which they are stored.
  };
  Kind kind = Kind::none;
  std::int64_t a = 0, b = 0;  ///< N and M, or outputs and inputs.
};

/// "none", "N:M" with 0 < N < M, or "AxB" with A, B > 0 and not both 1. Throws Error on anything else.
Pattern parse_pattern(std::string_view text);
std::string to_string(const Pattern& pattern);
/// The sparsity that N:M makes, 1 - N/M; nothing of other patterns.
std::optional<double> pattern_sparsity(const Pattern& pattern);
/// Whether `sparsity` says something else.
bool contradicts(const Pattern& pattern, double sparsity);

/// Why the pattern does not fit a site, such as "input width 27 is no multiple of 4"; none where it does.
std::optional<std::string> misfit(const Site& site, const Pattern& pattern);
/// The tiles of a site that they fit.
tensor::Units tiles_of(const Site& site, const Pattern& pattern);

}  // namespace coppice::sparsity
