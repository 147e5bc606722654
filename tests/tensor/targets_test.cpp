#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

// The vector instruction sets of this machine, one at a time; restored at the end.
class Targets {
 public:
  ~Targets() { hwy::SetSupportedTargetsForTest(0); }
  template <class Body>
  void for_each(const Body& body) const {
    const std::int64_t all = hwy::SupportedTargets();
    for (std::int64_t rest = all; rest != 0; rest &= rest - 1) {
      hwy::SetSupportedTargetsForTest(rest & -rest);
      body();
    }
  }
};

TEST(Targets, SumsAreTheSameBitsForEveryVectorWidth) {
  const std::size_t axes[] = {0, 1};
  for (const DType type :
       {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int8, DType::uint8}) {
    const Tensor weight = shifted(random_tensor(type, {53, 31, 3, 3}, 6), 1);
    const auto expected = axis_power_sums(weight, axes, 2, {{3.5}, 0});
    const auto plain = axis_power_sums(weight, axes, 1);
    const Targets targets;
    int tried = 0;
    targets.for_each([&] {
      EXPECT_EQ(axis_power_sums(weight, axes, 2, {{3.5}, 0}), expected) << name(type);
      EXPECT_EQ(axis_power_sums(weight, axes, 1), plain) << name(type);
      ++tried;
    });
    EXPECT_GE(tried, 1);
  }
}

TEST(Targets, DistancesAreTheSameBitsForEveryVectorWidth) {
  for (const DType type : {DType::float32, DType::float64}) {
    const Tensor weight = random_tensor(type, {61, 300}, 2);
    const auto expected = fpgm_scores(weight, 0);
    const Targets targets;
    targets.for_each([&] { EXPECT_EQ(fpgm_scores(weight, 0), expected) << name(type); });
  }
}

}  // namespace
}  // namespace coppice::tensor
