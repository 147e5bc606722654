#include "coppice/pruning/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "coppice/base/named.hpp"

namespace coppice::pruning {
namespace {

constexpr base::Names<Schedule, 7> kNames{{{Schedule::one_shot, "one_shot"},
                                           {Schedule::iterative, "iterative"},
                                           {Schedule::linear, "linear"},
                                           {Schedule::cos, "cos"},
                                           {Schedule::agp, "agp"},
                                           {Schedule::one_cycle, "one_cycle"},
                                           {Schedule::dsd, "dsd"}}};

constexpr int kStairs = 3;

// The half wave from 0 to 1.
double rise(double pos) {
  return (1.0 - std::cos(std::numbers::pi * pos)) / 2.0;
}

// The slack keeps a rounded quotient that lands on a stair from climbing the next one.
double stair(double pos, int stairs) {
  return std::ceil(pos * stairs - 1e-12) / stairs;
}

// Part of the way from start to end.
double share(Schedule schedule, double pos) {
  switch (schedule) {
    case Schedule::one_shot:
      return 1.0;
    case Schedule::iterative:
      return stair(pos, kStairs);
    case Schedule::linear:
      return pos;
    case Schedule::cos:
      return rise(pos);
    case Schedule::agp:
      return 1.0 - (1.0 - pos) * (1.0 - pos) * (1.0 - pos);
    case Schedule::one_cycle:
      return (1.0 + std::exp(-14.0 + 6.0)) / (1.0 + std::exp(-14.0 * pos + 6.0));
    case Schedule::dsd:
      return rise(2.0 * std::min(pos, 1.0 - pos));
  }
  return 1.0;
}

void check_step(int step, int steps) {
  if (steps >= 1 && step >= 0 && step <= steps) return;
  throw Error("schedule: expected a step from 0 to the number of steps, found step " + std::to_string(step) + " of " +
              std::to_string(steps));
}

}  // namespace

std::string_view to_string(Schedule schedule) {
  return base::find_name(kNames, schedule);
}

Schedule parse_schedule(std::string_view text) {
  return base::parse_name("schedule", kNames, text == "lin" ? "linear" : text);
}

double progress(Schedule schedule, double pos, double start, double end) {
  return start + (end - start) * share(schedule, std::clamp(pos, 0.0, 1.0));
}

double iterative_progress(double pos, int stairs, double start, double end) {
  if (stairs < 1) throw Error("iterative schedule: expected at least 1 stair, found " + std::to_string(stairs));
  return start + (end - start) * stair(std::clamp(pos, 0.0, 1.0), stairs);
}

double iterative_ratio(double target, int step, int steps, Schedule schedule) {
  check_step(step, steps);
  if (schedule == Schedule::dsd) {
    double most = 0;
    for (int i = 0; i <= step; ++i)
      most = std::max(most, progress(schedule, static_cast<double>(i) / steps, 0, target));
    return most;
  }
  return progress(schedule, static_cast<double>(step) / steps, 0.0, target);
}

double geometric_ratio(double target, int step, int steps) {
  check_step(step, steps);
  return step == steps ? target : 1 - std::pow(1 - target, static_cast<double>(step) / steps);
}

}  // namespace coppice::pruning
