#include "train/window.hpp"

#include <string>

#include "coppice/base/error.hpp"
#include "coppice/pruning/schedule.hpp"

namespace coppice {
namespace {

double usual_start(Schedule schedule) {
  switch (schedule) {
    case Schedule::one_shot:
      return 0.5;
    case Schedule::iterative:
    case Schedule::agp:
      return 0.2;
    default:
      return 0;
  }
}

}  // namespace

PruneWindow completed(PruneWindow window, Schedule schedule) {
  if (!window.start) window.start = window.schedule ? 0 : usual_start(schedule);
  if (!(*window.start >= 0 && *window.start < window.end && window.end <= 1))
    throw Error("pruning window: expected 0 <= start < end <= 1, found " + std::to_string(*window.start) + " to " +
                std::to_string(window.end));
  return window;
}

bool ends_window(const PruneWindow& window, std::int64_t step, std::int64_t steps) {
  const auto end = window.end * static_cast<double>(steps);
  return static_cast<double>(step + 1) >= end && static_cast<double>(step) < end;
}

double window_share(const PruneWindow& window, Schedule schedule, std::int64_t step, std::int64_t steps) {
  const auto at = static_cast<double>(step) / static_cast<double>(steps);
  if (at < *window.start) return 0;
  const bool last = static_cast<double>(step + 1) >= window.end * static_cast<double>(steps);
  const double position = last ? 1 : (at - *window.start) / (window.end - *window.start);
  const double out = window.schedule ? window.schedule(position) : pruning::progress(schedule, position);
  if (!(out >= 0 && out <= 1))
    throw Error("schedule: expected a share from 0 to 1 at " + std::to_string(position) + ", found " +
                std::to_string(out));
  return out;
}

}  // namespace coppice
