#pragma once
#include <string_view>
#include <vector>

namespace coppice {

/// How the learning rate moves over the course of a training.
enum class RateSchedule {
  constant,
  step,       ///< Times `gamma` at every milestone.
  cosine,     ///< From 1 to `final` along half a cosine (Loshchilov and Hutter, SGDR, 2017).
  one_cycle,  ///< Up from 1 / `start_divisor` for `rise` of the way, then down to 1 / `final_divisor`, both along half
              ///< a cosine (Smith, Super-Convergence, 2018; defaults of fastai).
};

std::string_view to_string(RateSchedule schedule);
/// Throws Error, which lists the names, on any other text.
RateSchedule parse_rate_schedule(std::string_view text);

/// The rate as a factor on what the optimizer was made with.
struct LearningRate {
  RateSchedule schedule = RateSchedule::constant;
  double start = 0;   ///< Share of the way at which the training begins: see rewound().
  double end = 1;     ///< Share of the way at which it ends: see up_to().
  double warmup = 0;  ///< Share of the way in which the factor grows from 0 in equal steps, before the schedule.
  double gamma = 0.1;
  std::vector<double> milestones{0.5, 0.75};  ///< Shares of the way, ascending.
  double final = 0;
  double rise = 0.25, start_divisor = 25, final_divisor = 1e5;

  /// For the step number `step` of `steps`, from 0. With `start` and `end` these are some of a longer way. Warm-up
  /// takes its share of all steps and reaches 1 with its last, the schedule goes over the rest. Throws Error for
  /// options out of range.
  double factor(long long step, long long steps) const;

  /// Out of line for the sake of GCC 12's warnings, as Calibration's.
  ~LearningRate();
};

}  // namespace coppice
