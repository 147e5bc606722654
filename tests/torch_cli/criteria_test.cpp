#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/torch/criterion.hpp"

#include "cli/torch_criteria.hpp"

namespace coppice {
namespace {

// The command line lists them without libtorch at hand; the lists must not part.
TEST(TorchCriteria, AreThoseOfTheLibrary) {
  for (const cli::TorchCriterion& listed : cli::torch_criteria()) {
    const CriterionOptions options = parse_criterion(listed.name).options();
    const cli::Needs needs = options.needs_loss() ? cli::Needs::gradients
                             : options.initial    ? cli::Needs::snapshot
                                                  : cli::Needs::activations;
    EXPECT_EQ(listed.needs, needs) << listed.name;
  }
  for (const std::string_view name : criterion_names()) {
    const Criterion criterion = parse_criterion(name);
    // One that is renewed at every step has no previous step on the command line, where nothing trains in between.
    const bool expected = !criterion.weights_only() && !criterion.options().updating;
    EXPECT_EQ(cli::find_torch_criterion(name) != nullptr, expected) << name;
  }
}

}  // namespace
}  // namespace coppice
