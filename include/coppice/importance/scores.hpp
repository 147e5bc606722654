#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "coppice/coupling/couplings.hpp"
#include "coppice/graph/parameters.hpp"
#include "coppice/importance/criterion.hpp"
#include "coppice/importance/normalizer.hpp"
#include "coppice/importance/reduction.hpp"

namespace coppice::importance {

/// What the slices of a constant along one axis weigh: one finite number an index, or nothing where the site is not
/// measured. For criteria that look at more than the weights, such as gradients and activations.
using Measure = std::function<std::vector<double>(const coupling::Site&)>;

struct ScoreOptions {
  Criterion criterion = Criterion::large_final;
  Measure measure{};                         ///< When given, takes the place of the criterion.
  Reduction reduction = Reduction::mean;     ///< Over the members of a unit.
  Normalizer normalizer = Normalizer::none;  ///< Within a group.
  std::uint64_t seed = 0;                    ///< Of random.
};

struct UnitScores {
  std::vector<double> units;             ///< By unit.
  std::vector<std::int32_t> unmeasured;  ///< Groups of two units or more of which nothing was measured, in order.
};

/// Importance of every unit that may be cut; 0 for locked and removed ones, where a group has only one, and where
/// nothing of a group is measured, which is no importance.
/// Each member of a unit (see members()) contributes sum |w|^p over its slices; a unit that owns several indices of an
/// axis has their sum. Quantised weights count as the numbers they stand for. Slices of `removed` units (by unit;
/// empty: none) do not count, so that the scores are those of the model that is left. Every weight is read once; the
/// same on any machine and for any number of threads. `roles` as from graph::constant_roles. Throws Error naming a
/// constant whose numbers are not finite.
UnitScores unit_scores(const graph::Graph& graph, const coupling::Couplings& couplings,
                       std::span<const graph::Role> roles, const ScoreOptions& options,
                       std::span<const std::uint8_t> removed = {});

}  // namespace coppice::importance
