#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "coppice/pruning/select.hpp"

namespace coppice::pruning {

/// A group that takes part in a selection.
struct Contender {
  std::int32_t group = -1;
  std::vector<std::int32_t> units;  ///< Those that may go, as they were before the first step.
  std::int64_t locked = 0;          ///< Units of the same width that stay.
  std::int64_t multiple = 1;        ///< locked + kept units should be a multiple of this.
  std::int64_t least = 1;           ///< Units that stay at least.
  std::optional<double> ratio;      ///< Of its own, by layer name.
  std::int32_t set = -1;            ///< Groups of one set are ranked together; -1: on its own.
};

/// Groups with two units or more that may be cut, with the ratios, widths and sets that the options give them.
/// `ratios`: by group, those of named layers.
std::vector<Contender> contenders(const Prepared& prepared, const SelectOptions& options,
                                  std::span<const std::optional<double>> ratios);

/// How many units of a contender stay when `keep` of them should: not below `least`, and rounded.
std::int64_t rounded_keep(const Contender& contender, std::int64_t keep);

/// How many units each contender of its own, and each set, shall lose in all: what Contest::choose() goes by, whatever
/// the scores. Of sets before rounding.
std::vector<std::int64_t> units_asked(std::span<const Contender> contenders, double ratio, double share);

/// Contenders with the scores of one step. Choosing is linear in the number of units, so that a search over ratios
/// costs little.
class Contest {
 public:
  /// `scores` by unit; `gone`: units that earlier steps removed. Throws Error when a score is not a number.
  Contest(const coupling::Couplings& couplings, std::span<const Contender> contenders, std::span<const double> scores,
          std::vector<std::uint8_t> gone);

  /// Units that are gone, by unit, when `share` (0..1) of the way to the own ratios is gone and `ratio` of the original
  /// units elsewhere. Earlier removals stay. No axis of any value loses all its indices: the unit of the highest score
  /// comes back.
  std::vector<std::uint8_t> choose(double ratio, double share) const;

 private:
  void rank_set(std::span<const std::size_t> order, double ratio, std::vector<std::int64_t>& drops) const;
  void give_back(std::vector<std::uint8_t>& removed) const;

  const coupling::Couplings& couplings_;
  std::span<const Contender> contenders_;
  std::span<const double> scores_;
  std::vector<std::uint8_t> gone_;
  std::vector<std::vector<std::int32_t>> order_;  // by contender: units that are left, the least important first
  std::vector<std::vector<std::size_t>> sets_;    // by set: contenders, one entry a unit, the least important first
};

}  // namespace coppice::pruning
