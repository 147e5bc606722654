#pragma once
#include "coppice/torch/evidence.hpp"

namespace coppice::scoring {

/// The criterion's numbers for one constant: in the weight's shape, or with `channels` one an output channel; float64,
/// contiguous, on the CPU. Undefined where it is not measured. `place`: the weight's in the list, for `random`.
at::Tensor numbers(const Criterion& criterion, std::string_view name, WeightView view, std::uint64_t seed = 0,
                   std::size_t place = 0);

/// What `share_of_total` divides by, so far; at least the smallest positive number.
class Total {
 public:
  void add(const at::Tensor& numbers);
  double divisor() const;

 private:
  double sum_ = 0;
};

/// The sums of a contiguous float64 CPU tensor over all axes but one, in a fixed order.
std::vector<double> sums_along(const at::Tensor& numbers, std::size_t axis);

}  // namespace coppice::scoring
