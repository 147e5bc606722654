#pragma once
#include <cstdint>

#include "coppice/train/prune_callback.hpp"

namespace coppice {

/// The window with its usual beginning where none is given. Throws Error unless 0 <= start < end <= 1.
PruneWindow completed(PruneWindow window, Schedule schedule);
/// The amount for step `step` of `steps`, from 0, in 0..1 of what is wanted; the last step of the window arrives.
/// Throws Error when a schedule of the caller's own leaves 0..1.
double window_share(const PruneWindow& window, Schedule schedule, std::int64_t step, std::int64_t steps);
/// Whether the step is the window's last.
bool ends_window(const PruneWindow& window, std::int64_t step, std::int64_t steps);

}  // namespace coppice
