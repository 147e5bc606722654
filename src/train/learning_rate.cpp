#include "coppice/train/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"

namespace coppice {
namespace {

constexpr base::Names<RateSchedule, 4> names{{{RateSchedule::constant, "constant"},
                                              {RateSchedule::step, "step"},
                                              {RateSchedule::cosine, "cosine"},
                                              {RateSchedule::one_cycle, "one_cycle"}}};

void expect(bool holds, const char* what, double found) {
  if (!holds) throw Error(std::string("learning rate: expected ") + what + ", found " + std::to_string(found));
}

// From `start` at 0 to `end` at 1 along half a cosine.
double half_cosine(double start, double end, double pos) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * pos)) / 2;
}

double scheduled(const LearningRate& rate, double pos) {
  switch (rate.schedule) {
    case RateSchedule::constant:
      return 1;
    case RateSchedule::step:
      return std::pow(rate.gamma, std::count_if(rate.milestones.begin(), rate.milestones.end(),
                                                [&](double milestone) { return milestone <= pos; }));
    case RateSchedule::cosine:
      return half_cosine(1, rate.final, pos);
    case RateSchedule::one_cycle:
      if (pos < rate.rise) return half_cosine(1 / rate.start_divisor, 1, pos / rate.rise);
      return half_cosine(1, 1 / rate.final_divisor, (pos - rate.rise) / (1 - rate.rise));
  }
  return 1;
}

}  // namespace

std::string_view to_string(RateSchedule schedule) {
  return base::find_name(names, schedule);
}

RateSchedule parse_rate_schedule(std::string_view text) {
  return base::parse_name("learning rate schedule", names, text);
}

LearningRate::~LearningRate() = default;

double LearningRate::factor(long long step, long long steps) const {
  expect(start >= 0 && start < 1, "a start from 0 to below 1", start);
  expect(end > start && end <= 1, "an end above the start and up to 1", end);
  expect(warmup >= 0 && warmup < 1, "a warm-up from 0 to below 1", warmup);
  expect(gamma > 0, "a gamma above 0", gamma);
  expect(final >= 0, "a final share of 0 or more", final);
  expect(rise >= 0 && rise < 1, "a rise from 0 to below 1", rise);
  expect(start_divisor >= 1, "a start divisor of 1 or more", start_divisor);
  expect(final_divisor >= 1, "a final divisor of 1 or more", final_divisor);
  if (steps < 1 || step < 0 || step >= steps)
    throw Error("learning rate: expected a step below " + std::to_string(steps) + ", found " + std::to_string(step));
  if (start > 0 || end < 1) {
    const auto whole = static_cast<double>(std::llround(static_cast<double>(steps) / (end - start)));
    step += std::llround(end * whole) - steps;
    steps = std::llround(whole);
  }
  const auto warm = static_cast<long long>(std::llround(warmup * static_cast<double>(steps)));
  if (step < warm) return static_cast<double>(step + 1) / static_cast<double>(warm);
  const long long rest = steps - warm;
  return scheduled(*this, static_cast<double>(step - warm) / static_cast<double>(rest));
}

}  // namespace coppice
