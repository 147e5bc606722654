#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/coupling/couplings.hpp"

namespace coppice::pruning {

/// Extents of axes when some units are gone. Every track is counted once, however many axes it stands on.
class KeptExtents {
 public:
  /// An empty `removed`: nothing is gone. Both must outlive this.
  KeptExtents(const coupling::Couplings& couplings, std::span<const std::uint8_t> removed)
      : couplings_(couplings), removed_(removed), kept_(couplings.track_count(), -1) {}

  std::int64_t track(coupling::TrackId id);
  std::int64_t axis(const coupling::Axis& axis);
  /// The extent `extent` of that axis in any world, scaled: in another world a part of the axis that no unit lives on
  /// may have another length, the tracked parts have not.
  std::int64_t scaled(std::int64_t extent, const coupling::Axis& axis);

 private:
  const coupling::Couplings& couplings_;
  std::span<const std::uint8_t> removed_;
  std::vector<std::int64_t> kept_;
};

}  // namespace coppice::pruning
