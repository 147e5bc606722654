#include <gtest/gtest.h>

#include "coppice/zoo/zoo.hpp"

#include "pruning/prepared.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::DType;

// The last units of every group go until int(N * (1 - ratio)) are left.
std::vector<std::uint8_t> last_units(const Prepared& prepared, double ratio) {
  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  for (const coupling::Group& group : prepared.couplings.groups()) {
    const auto keep = static_cast<std::size_t>(static_cast<double>(group.units.size()) * (1 - ratio) + 1e-9);
    for (std::size_t i = std::max<std::size_t>(keep, 1); i < group.units.size(); ++i)
      removed[static_cast<std::size_t>(group.units[i])] = 1;
  }
  return removed;
}

TEST(Count, ResNet18) {
  const Prepared prepared = prepare(zoo::build("resnet18"));
  const Count before = count(prepared);
  EXPECT_EQ(before.parameters, 11689512);
  EXPECT_EQ(before.macs, 1814073344.0);  // 224 x 224, by hand over the layers
  EXPECT_EQ(count(prepared, last_units(prepared, 0.3)).parameters, 5820556);
  EXPECT_EQ(count(prepared, last_units(prepared, 0.5)).parameters, 3055880);
  EXPECT_DOUBLE_EQ(reach(prepared), 1 - 1000.0 / 11689512);  // all but the bias of the classifier
}

// x (1, 4, 6, 6) -> grouped convolution to 8 channels in 2 groups -> 1 x 1 convolution to 3 channels.
Prepared grouped() {
  graph::Builder b("grouped");
  const auto x = b.input("x", DType::float32, {{1, ""}, {3, ""}, {6, ""}, {6, ""}});
  const auto stem = b.op("Conv", {x, b.initializer("stem", filled({4, 3, 1, 1}))});
  const auto y = b.op("Conv", {stem, b.initializer("grouped", filled({8, 2, 3, 3}))}, {attr("group", 2)});
  const auto z = b.op("Conv", {y, b.initializer("head", filled({3, 8, 1, 1})), b.initializer("bias", filled({3}))});
  b.output(z, DType::float32, {{1, ""}, {3, ""}, {4, ""}, {4, ""}});
  return prepare(std::move(b).finish());
}

TEST(Count, GroupedConvolutions) {
  const Prepared prepared = grouped();
  const Count before = count(prepared);
  EXPECT_EQ(before.parameters, 12 + 144 + 24 + 3);
  EXPECT_EQ(before.macs, 12 * 36 + 144 * 16 + 24 * 16);
  // Half of the offsets: the stem keeps 2 channels, the grouped convolution 4 of 8 with 1 input each.
  const Count after = count(prepared, last_units(prepared, 0.5));
  EXPECT_EQ(after.parameters, 6 + 4 * 9 + 12 + 3);
  EXPECT_EQ(after.macs, 6 * 36 + 36 * 16 + 12 * 16);
  EXPECT_DOUBLE_EQ(reach(prepared), 1 - 3.0 / 183);
}

TEST(Count, AModelThatCannotShrinkHasNoReach) {
  graph::Builder b("one");
  const auto x = b.input("x", DType::float32, {{1, ""}, {3, ""}});
  const auto y = b.op("MatMul", {x, b.initializer("w", filled({3, 2}))});
  b.output(y, DType::float32, {{1, ""}, {2, ""}});
  EXPECT_EQ(reach(prepare(std::move(b).finish())), 0);
}

}  // namespace
}  // namespace coppice::pruning
