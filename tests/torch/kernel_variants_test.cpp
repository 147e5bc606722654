#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

/// What ONNX's backend tests leave out: old and new operator sets, ties, bounds. Expectations by hand.
namespace coppice {
namespace {
using namespace one_node;

void expect_same(const at::Tensor& found, const at::Tensor& expected) {
  EXPECT_EQ(found.scalar_type(), expected.scalar_type());
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_TRUE(at::equal(found, expected)) << found << "\nexpected\n" << expected;
}

void expect(const Spec& spec, const std::vector<at::Tensor>& inputs, const at::Tensor& expected) {
  SCOPED_TRACE(spec.op);
  expect_same(run(spec, inputs).at(0), expected);
}

std::string refusal(const Spec& spec, const std::vector<at::Tensor>& inputs) {
  try {
    run(spec, inputs);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "none";
}

at::Tensor grid(std::int64_t rows, std::int64_t columns) {
  return at::arange(rows * columns, at::kLong).reshape({rows, columns});
}

TEST(KernelVariants, OldBroadcastingStartsAtAnAxis) {
  const Spec spec{"Add", {whole("broadcast", 1), whole("axis", 0)}, 6};
  expect(spec, {grid(2, 3), ints({10, 20})}, ints({10, 11, 12, 23, 24, 25}).reshape({2, 3}));
  const at::Tensor x = reals({-1, -2, -3, -4}).reshape({1, 2, 2});
  expect({"PRelu", {}, 6}, {x, reals({2, 3})}, reals({-2, -4, -9, -12}).reshape({1, 2, 2}));
}

TEST(KernelVariants, WholeNumbersDivideTowardsZero) {
  expect({"Div", {}}, {ints({7, -7}), ints({2, 2})}, ints({3, -3}));
  expect({"Mod", {}}, {ints({7, -7}), ints({-3, 3})}, ints({-2, 2}));
  expect({"Mod", {whole("fmod", 1)}}, {ints({7, -7}), ints({-3, 3})}, ints({1, -1}));
  expect({"ReduceMean", {whole("keepdims", 0)}}, {ints({-3, 0})}, at::scalar_tensor(-1, at::kLong));
  EXPECT_NE(refusal({"Div", {}}, {ints({1}), ints({0})}), "none");
}

TEST(KernelVariants, UnsignedTypesWrapRoundAtTheirOwnWidth) {
  const auto uint16 = static_cast<std::int64_t>(tensor::DType::uint16);
  const auto uint32 = static_cast<std::int64_t>(tensor::DType::uint32);
  expect({"Cast", {whole("to", uint16)}}, {ints({65537, -1})}, at::tensor({1, 65535}, at::kInt));
  expect({"Cast", {whole("to", uint32)}}, {ints({(std::int64_t{1} << 32) + 5, -1})}, ints({5, 0xffffffff}));
  const auto near = [](const Spec& spec, const std::vector<at::Tensor>& inputs) {
    GraphModule module = make(spec, inputs, tensor::DType::uint16);
    return module.run(inputs).at(0);
  };
  const at::Tensor three = at::tensor({3}, at::kInt), five = at::tensor({5}, at::kInt);
  expect_same(near({"Sub", {}}, {three, five}), at::tensor({65534}, at::kInt));
  expect_same(near({"BitwiseNot", {}}, {five}), at::tensor({65530}, at::kInt));
  expect_same(near({"BitShift", {text("direction", "LEFT")}}, {at::tensor({0x9001}, at::kInt), three}),
              at::tensor({0x8008}, at::kInt));
  // uint64 lies in int64, and its highest bit is no sign.
  expect({"BitShift", {text("direction", "RIGHT")}}, {ints({-1, -1, 6}), ints({60, 0, 1})}, ints({15, -1, 3}));
  EXPECT_NE(refusal({"BitShift", {}}, {ints({1}), ints({1})}).find("direction: expected LEFT or RIGHT"),
            std::string::npos);
}

TEST(KernelVariants, ClipTakesAttributesAndOneSide) {
  expect({"Clip", {real("min", -1), real("max", 2)}, 6}, {reals({-3, 0, 3})}, reals({-1, 0, 2}));
  expect({"Clip", {}, 13}, {reals({-3, 0, 3}), at::Tensor(), at::scalar_tensor(2, at::kDouble)}, reals({-3, 0, 2}));
}

TEST(KernelVariants, ReductionsTakeAxesFromWhereTheOperatorSetPutsThem) {
  const at::Tensor x = grid(2, 3).to(at::kDouble);
  expect({"ReduceSum", {list("axes", {1}), whole("keepdims", 0)}, 11}, {x}, reals({3, 12}));
  expect({"ReduceMax", {whole("keepdims", 0)}, 18}, {x, ints({-1})}, reals({2, 5}));
  expect({"ReduceMax", {}, 18}, {x}, reals({5}).reshape({1, 1}));
  expect({"ReduceProd", {}, 18}, {at::scalar_tensor(3, at::kDouble)}, at::scalar_tensor(3, at::kDouble));
  expect({"ReduceL2", {}, 18}, {ints({3, 4})}, ints({5}));
}

// What is taken of each element, and of the sum, stays.
TEST(KernelVariants, ReductionsOverNoAxes) {
  const at::Tensor x = reals({-3, 2}).reshape({1, 2});
  const auto none = [&](const char* op, const at::Tensor& expected) {
    expect({op, {whole("noop_with_empty_axes", 1)}, 18}, {x}, expected.reshape({1, 2}));
  };
  none("ReduceSum", x);
  none("ReduceMax", x);
  none("ReduceMean", x);
  none("ReduceL1", reals({3, 2}));
  none("ReduceL2", reals({3, 2}));
  none("ReduceSumSquare", reals({9, 4}));
  expect({"ReduceLogSum", {whole("noop_with_empty_axes", 1)}, 18}, {reals({1, 2})}, at::log(reals({1, 2})));
}

TEST(KernelVariants, SliceGoesBackwards) {
  const at::Tensor x = ints({0, 1, 2, 3, 4, 5});
  const auto slice = [&](std::int64_t start, std::int64_t end, std::int64_t step, const std::vector<std::int64_t>& y) {
    expect({"Slice", {}}, {x, ints({start}), ints({end}), ints({0}), ints({step})}, ints(y));
  };
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  slice(-1, lowest, -1, {5, 4, 3, 2, 1, 0});
  slice(4, 0, -2, {4, 2});
  slice(5, 0, -3, {5, 2});
  slice(100, 1, -2, {5, 3});
  slice(2, 2, -1, {});
  slice(1, 100, 2, {1, 3, 5});
  slice(-100, 2, 1, {0, 1});
  expect({"Slice", {list("starts", {1}), list("ends", {-1})}, 9}, {x}, ints({1, 2, 3, 4}));
  EXPECT_NE(refusal({"Slice", {}}, {x, ints({0}), ints({1}), ints({0}), ints({0})}), "none");
}

TEST(KernelVariants, SplitLeavesTheRestToTheLast) {
  const Spec spec{"Split", {whole("num_outputs", 3)}, 18, 3};
  const std::vector<at::Tensor> parts = run(spec, {ints({0, 1, 2, 3, 4, 5, 6})});
  expect_same(parts.at(0), ints({0, 1, 2}));
  expect_same(parts.at(1), ints({3, 4, 5}));
  expect_same(parts.at(2), ints({6}));
  const std::vector<at::Tensor> old = run({"Split", {list("split", {1, 2})}, 11, 2}, {ints({7, 8, 9})});
  expect_same(old.at(1), ints({8, 9}));
}

TEST(KernelVariants, PadTakesAxesAndEveryMode) {
  const at::Tensor x = ints({1, 2, 3});
  expect({"Pad", {text("mode", "wrap")}, 19}, {x, ints({2, 4})}, ints({2, 3, 1, 2, 3, 1, 2, 3, 1}));
  expect({"Pad", {text("mode", "reflect")}}, {x, ints({2, 1})}, ints({3, 2, 1, 2, 3, 2}));
  expect({"Pad", {text("mode", "edge")}}, {x, ints({-1, 2})}, ints({2, 3, 3, 3}));
  expect({"Pad", {}, 18}, {grid(1, 2), ints({1, 0}), at::scalar_tensor(9, at::kLong), ints({-1})},
         ints({9, 0, 1}).reshape({1, 3}));
  expect({"Pad", {list("pads", {0, 1}), real("value", 4)}, 2}, {reals({1, 2})}, reals({1, 2, 4}));
  EXPECT_NE(refusal({"Pad", {}, 18}, {x, ints({1})}).find("pads: expected 2, found 1"), std::string::npos);
}

TEST(KernelVariants, ScatterReduces) {
  const at::Tensor x = reals({1, 5, 3});
  const at::Tensor at = ints({1, 1, -1}), u = reals({4, 7, 2});
  const auto how = [](const char* op, const char* name) { return Spec{op, {text("reduction", name)}, 18}; };
  expect(how("ScatterElements", "add"), {x, at, u}, reals({1, 16, 5}));
  expect(how("ScatterElements", "mul"), {x, at, u}, reals({1, 140, 6}));
  expect(how("ScatterElements", "max"), {x, at, u}, reals({1, 7, 3}));
  expect(how("ScatterElements", "min"), {x, at, u}, reals({1, 4, 2}));
  expect(how("ScatterND", "max"), {x, at.reshape({3, 1}), u}, reals({1, 7, 3}));
  expect(how("ScatterND", "mul"), {x, at.reshape({3, 1}), u}, reals({1, 140, 6}));
  EXPECT_NE(refusal(how("ScatterND", "add"), {x, ints({3}).reshape({1, 1}), reals({1})}), "none");
}

TEST(KernelVariants, GatherNdRefusesAnIndexThatWouldReachANeighbour) {
  expect({"GatherND", {}}, {grid(2, 3), ints({1, -1}).reshape({1, 2})}, ints({5}));
  EXPECT_NE(refusal({"GatherND", {}}, {grid(2, 3), ints({0, 3}).reshape({1, 2})}), "none");
  EXPECT_NE(refusal({"GatherND", {}}, {grid(2, 3), ints({0, 0, 0}).reshape({1, 3})}), "none");
}

TEST(KernelVariants, TheFirstOfEqualElementsComesFirst) {
  const at::Tensor x = reals({1, 3, 3, 2, 3});
  const std::vector<at::Tensor> top = run({"TopK", {}, 11, 2}, {x, ints({3})});
  expect_same(top.at(1), ints({1, 2, 4}));
  expect_same(run({"TopK", {whole("k", 1)}, 1, 2}, {x}).at(0), reals({3}));
  expect({"ArgMax", {}, 13}, {x}, ints({1}));
  expect({"ArgMax", {whole("select_last_index", 1)}, 13}, {x}, ints({4}));
  EXPECT_NE(refusal({"TopK", {}, 11, 2}, {x, ints({6})}).find("k: expected at most 5, found 6"), std::string::npos);
}

TEST(KernelVariants, ShapesStayWhole) {
  expect({"Shape", {whole("start", -1)}}, {at::zeros({2, 3})}, ints({3}));
  expect({"Reshape", {whole("allowzero", 1)}}, {at::zeros({0, 3}, at::kLong), ints({3, 0})},
         at::zeros({3, 0}, at::kLong));
  expect({"Reshape", {list("shape", {3, -1})}, 4}, {ints({0, 1, 2})}, ints({0, 1, 2}).reshape({3, 1}));
  expect({"Expand", {}}, {ints({1, 2}).reshape({2, 1}), ints({1, 2})}, ints({1, 1, 2, 2}).reshape({2, 2}));
  expect({"Tile", {}, 5}, {ints({1, 2}), ints({2}), ints({0})}, ints({1, 2, 1, 2}));
  expect({"Range", {}},
         {at::scalar_tensor(5, at::kLong), at::scalar_tensor(0, at::kLong), at::scalar_tensor(-2, at::kLong)},
         ints({5, 3, 1}));
  expect({"Range", {}},
         {at::scalar_tensor(5, at::kLong), at::scalar_tensor(5, at::kLong), at::scalar_tensor(1, at::kLong)}, ints({}));
  // No extents: a scalar.
  expect({"ConstantOfShape", {}}, {ints({})}, at::zeros({}));
  EXPECT_NE(refusal({"Squeeze", {}}, {grid(2, 3), ints({0})}).find("expected an extent of 1, found 2"),
            std::string::npos);
}

TEST(KernelVariants, BoxesThatOverlapTooMuchAreLeftOut) {
  const at::Tensor boxes =
      at::tensor({0.F, 0.F, 1.F, 1.F, 0.F, 0.1F, 1.F, 1.1F, 0.F, 2.F, 1.F, 3.F}).reshape({1, 3, 4});
  const at::Tensor scores = at::tensor({0.5F, 0.9F, 0.7F}).reshape({1, 1, 3});
  const at::Tensor most = at::tensor({0.5F}), least = at::tensor({0.6F});
  const Spec spec{"NonMaxSuppression", {}};
  expect(spec, {boxes, scores, ints({9}), most}, ints({0, 0, 1, 0, 0, 2}).reshape({2, 3}));
  expect(spec, {boxes, scores, ints({9}), at::tensor({0.9F}), least}, ints({0, 0, 1, 0, 0, 2}).reshape({2, 3}));
  expect(spec, {boxes, scores, ints({1}), most}, ints({0, 0, 1}).reshape({1, 3}));
  EXPECT_NE(refusal(spec, {boxes, scores.reshape({3, 1, 1}), ints({9}), most}), "none");
}

}  // namespace
}  // namespace coppice
