#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::base {

/// Insertions, deletions and replacements of bytes that turn one string into the other (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The at most `limit` candidates that a person who wrote `wanted` may have meant, best first: small edit distance;
/// a candidate that contains `wanted`, or is contained in it, counts as distance 1. Ties keep the candidates' order.
std::vector<std::string_view> nearest(std::string_view wanted, std::span<const std::string_view> candidates,
                                      std::size_t limit = 3);

/// The same as text for a message: `a, b, c`; "none" without candidates.
std::string nearest_list(std::string_view wanted, std::span<const std::string_view> candidates, std::size_t limit = 3);

}  // namespace coppice::base
