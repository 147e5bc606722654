#pragma once
#include <string_view>

namespace coppice::pruning {

/// How the amount grows from `start` to `end` over the course of the work.
enum class Schedule {
  one_shot,   ///< end, from the first moment on.
  iterative,  ///< Three equal stairs: start + (end - start) * ceil(3 pos) / 3.
  linear,     ///< start + (end - start) * pos. Also written "lin".
  cos,        ///< start + (end - start) * (1 - cos(pi pos)) / 2.
  agp,        ///< end + (start - end) * (1 - pos)^3 (Zhu and Gupta, To Prune or Not to Prune, 2017).
  one_cycle,  ///< start + (end - start) * (1 + e^(-14 + 6)) / (1 + e^(-14 pos + 6)) (Hubens et al., One-Cycle
              ///< Pruning, 2021). At pos 0 it stands 0.25 % of the way.
  dsd,        ///< Dense, sparse, dense: cos up to pos 0.5, and back (Han et al., DSD, 2017).
};

std::string_view to_string(Schedule schedule);
/// Throws Error, which lists the names, on any other text.
Schedule parse_schedule(std::string_view text);

/// The amount at `pos`, which is cut to [0, 1].
double progress(Schedule schedule, double pos, double start = 0.0, double end = 1.0);

/// The stairs of `iterative` in any number: start + (end - start) * ceil(pos * stairs) / stairs. Throws Error when
/// stairs < 1.
double iterative_progress(double pos, int stairs, double start = 0.0, double end = 1.0);

/// The share of the original units that shall be gone after `step` of `steps` (counted from 1): the schedule from 0 to
/// `target` at pos = step / steps. Throws Error unless 0 <= step <= steps and steps >= 1. What is removed does not come
/// back, so with `dsd` the largest amount so far holds.
double iterative_ratio(double target, int step, int steps, Schedule schedule = Schedule::linear);

/// The share that is gone after `step` of `steps` when every step takes the same share of what is left: 1 - (1 -
/// target)^(step / steps). Throws Error as iterative_ratio().
double geometric_ratio(double target, int step, int steps);

}  // namespace coppice::pruning
