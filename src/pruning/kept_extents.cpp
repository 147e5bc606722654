#include "pruning/kept_extents.hpp"

#include <numeric>

namespace coppice::pruning {

std::int64_t KeptExtents::track(coupling::TrackId id) {
  std::int64_t& kept = kept_[static_cast<std::size_t>(id)];
  if (kept >= 0) return kept;
  const auto units = couplings_.track(id);
  kept = static_cast<std::int64_t>(units.size());
  if (!removed_.empty())
    for (std::int32_t unit : units) kept -= removed_[static_cast<std::size_t>(unit)] != 0 ? 1 : 0;
  return kept;
}

std::int64_t KeptExtents::axis(const coupling::Axis& axis) {
  if (!axis.tracked()) return axis.length;
  if (axis.factors < 0) return track(axis.track);
  std::int64_t out = 1;
  for (const coupling::Factor& factor : couplings_.factors(axis))
    out *= factor.track == coupling::no_track ? factor.length : track(factor.track);
  return out;
}

std::int64_t KeptExtents::scaled(std::int64_t extent, const coupling::Axis& axis) {
  if (!axis.tracked() || extent < 0) return extent;
  const std::int64_t kept = this->axis(axis);
  if (kept == axis.length) return extent;
  const std::int64_t common = std::gcd(kept, axis.length);
  return extent / (axis.length / common) * (kept / common);
}

}  // namespace coppice::pruning
