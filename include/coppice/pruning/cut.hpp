#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// The shape arithmetic around a node could not be rewritten for this cut. `units` must stay for the cut to be
/// possible.
class StructureError : public Error {
 public:
  StructureError(const std::string& what, std::int32_t at, std::vector<std::int32_t> must_stay)
      : Error(what), node(at), units(std::move(must_stay)) {}
  std::int32_t node;
  std::vector<std::int32_t> units;
};

/// When the bytes of the shrunk constants are made.
enum class Gathering : std::uint8_t { now, later };

/// Removes the units with removed[unit] != 0: constants shrink, attributes and shape arithmetic follow, shape inference
/// runs on the result and must agree with the plan. The prepared model is left as it is; the result is ready to be
/// written (shared constants tied again). Throws StructureError, or Error when a check of the result fails.
/// `later`: large constants are cut when their bytes are first asked for, for callers who want the structure alone.
graph::Model cut(const Prepared& prepared, std::span<const std::uint8_t> removed, Gathering gathering = Gathering::now);

/// The original model with the removed slices of its constants set to zero; shapes stay. Equal to the cut model's
/// outputs for exact cuts.
graph::Model soften(const Prepared& prepared, std::span<const std::uint8_t> removed);

/// The proof model: as soften(), with masks where a node mixes removed indices with others, so that every reduction
/// sees only survivors. Equal to the cut model's outputs for every cut.
graph::Model twin(const Prepared& prepared, std::span<const std::uint8_t> removed);

/// Why a cut is inexact: the node and how it mixes removed with remaining indices.
struct Inexact {
  std::int32_t node = -1;
  coupling::Mixing how = coupling::Mixing::mean;
  std::string text;  ///< "LayerNormalization "/ln": statistics over removed units".
};

/// Empty for an exact cut: the removed slices, set to zero, contribute nothing elsewhere.
std::vector<Inexact> inexactness(const Prepared& prepared, std::span<const std::uint8_t> removed);

/// Locks every unit whose removal would be inexact.
void lock_inexact(Prepared& prepared);

}  // namespace coppice::pruning
