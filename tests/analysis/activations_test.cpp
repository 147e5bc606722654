#include "coppice/analysis/activations.hpp"

#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"

namespace coppice::analysis {
namespace {

using graph::Builder;
using graph::ValueId;
using tensor::DType;

std::optional<std::uint64_t> peak(Builder b) {
  return peak_activation_bytes(pruning::prepare(std::move(b).finish()));
}

TEST(PeakActivations, AChainHoldsTwoValues) {
  Builder b("chain");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {10, {}}});
  const ValueId h = b.op("Relu", {x});
  b.output(b.op("Sigmoid", {h}), DType::float32, {{1, {}}, {10, {}}});
  EXPECT_EQ(peak(std::move(b)), 80u);
}

TEST(PeakActivations, AShortcutStaysUntilItIsRead) {
  Builder b("shortcut");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {10, {}}});
  const ValueId h = b.op("Relu", {x});
  const ValueId g = b.op("Sigmoid", {h});
  b.output(b.op("Add", {x, g}), DType::float32, {{1, {}}, {10, {}}});
  EXPECT_EQ(peak(std::move(b)), 120u);  // x, h and g; then x, g and the sum
}

TEST(PeakActivations, ReshapesShareAndConstantsDoNotCount) {
  Builder b("views");
  const ValueId x = b.input("x", DType::float16, {{1, {}}, {10, {}}});
  const ValueId flat = b.op("Flatten", {x});
  const ValueId w = b.initializer("w", tensor::from_doubles(DType::float16, {10, 4}, std::vector<double>(40, 1.0)));
  b.output(b.op("MatMul", {flat, w}), DType::float16, {{1, {}}, {4, {}}});
  EXPECT_EQ(peak(std::move(b)), 28u);
}

TEST(PeakActivations, UnknownExtentsGiveNothing) {
  Builder b("unknown");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {10, {}}});
  const ValueId y = b.op("com.example.Mystery", {x});
  b.output(b.op("Relu", {y}), DType::float32, {});
  EXPECT_FALSE(peak(std::move(b)));
}

}  // namespace
}  // namespace coppice::analysis
