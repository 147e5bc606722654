#include "cli/torch_criteria.hpp"

#include <algorithm>

namespace coppice::cli {

std::span<const TorchCriterion> torch_criteria() {
  static constexpr TorchCriterion criteria[]{{"gradient", Needs::gradients},
                                             {"taylor", Needs::gradients},
                                             {"taylor_multi_variable", Needs::gradients},
                                             {"hessian", Needs::gradients},
                                             {"obd", Needs::gradients},
                                             {"snip", Needs::gradients},
                                             {"activation_norm", Needs::activations},
                                             {"activation_magnitude", Needs::activations},
                                             {"large_init", Needs::snapshot},
                                             {"small_init", Needs::snapshot},
                                             {"large_init_large_final", Needs::snapshot},
                                             {"small_init_small_final", Needs::snapshot},
                                             {"magnitude_increase", Needs::snapshot},
                                             {"movement", Needs::snapshot},
                                             {"movmag", Needs::snapshot}};
  return criteria;
}

const TorchCriterion* find_torch_criterion(std::string_view name) {
  const auto criteria = torch_criteria();
  const auto it =
      std::find_if(criteria.begin(), criteria.end(), [&](const TorchCriterion& c) { return c.name == name; });
  return it == criteria.end() ? nullptr : &*it;
}

}  // namespace coppice::cli
