#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace coppice::importance {

/// How the importances that a unit has in each member of its group become one. Source: the group reductions of DepGraph
/// (Fang et al., Towards Any Structural Pruning, 2023).
enum class Reduction { mean, sum, max, prod, first };

std::string_view to_string(Reduction reduction);
/// Throws Error, which lists the names, on any other text.
Reduction parse_reduction(std::string_view text);

/// `scores` is a row-major matrix of members x units; the result has one number a unit, combined in the order of the
/// members. No members: zeros. Throws Error when scores.size() != members * units.
std::vector<double> reduce(Reduction reduction, std::span<const double> scores, std::size_t members, std::size_t units);

}  // namespace coppice::importance
