// Shape arithmetic behind a structural operand is changed at the literal that causes the number.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Builder;
using graph::DType;
using graph::Shape;
using graph::ValueId;

ValueId extent(Builder& b, ValueId y, std::int64_t axis) {
  return b.op("Gather", {b.op("Shape", {y}), b.ints({axis})});
}
ValueId joined(Builder& b, std::vector<ValueId> parts) {
  return b.op("Concat", std::move(parts), {attr("axis", 0)});
}

// x (batch, 2, 3) -> "a" to 8 features -> Reshape to `target` (batch, 16) -> "c" to 5.
Prepared flattened(ValueId (*target)(Builder&, ValueId y), std::int64_t batch = -1, std::int64_t opset = 17) {
  Builder b("flattened", opset);
  const auto y = linear(b, b.input("x", DType::float32, dims({batch, 2, 3})), "a", 3, 8);
  const auto flat = b.op("Reshape", {y, target(b, y)}, {}, "flat");
  return finish(std::move(b), linear(b, flat, "c", 16, 5), {batch, 5});
}

// Three of eight features go: 16 becomes 10, and nothing of a dynamic batch becomes a number.
Small expect_ten_left(const Prepared& prepared) {
  Small small(prepared, without(prepared, "a", 1, {0, 3, 4}));
  EXPECT_EQ(small.operand("flat", 1)[1], 10);
  EXPECT_EQ(small.operand2("flat", 1)[1], 10);
  EXPECT_NE(small.operand("flat", 1)[0], small.operand2("flat", 1)[0]);
  EXPECT_EQ(small.shape("flat"), (Shape{small.operand("flat", 1)[0], 10}));
  EXPECT_EQ(small.count("Where"), 0u);
  EXPECT_EQ(small.model.graph.nodes.size(), prepared.model.graph.nodes.size());
  return small;
}

Ints literal(const Small& small, std::string_view name) {
  return Small::fact(small.first, small.model.graph.find(name)).int_values().value();
}
ValueId named(Builder& b, std::string_view name, const Ints& values) {
  return b.initializer(name, graph::Tensor::ints(values));
}

TEST(CutArithmetic, ThroughMul) {
  const Small small = expect_ten_left(flattened([](Builder& b, ValueId y) {
    return joined(b, {extent(b, y, 0), b.op("Mul", {extent(b, y, 1), named(b, "width", {8})})});
  }));
  EXPECT_EQ(literal(small, "width"), (Ints{5}));
}

TEST(CutArithmetic, ThroughDiv) {
  const Small small = expect_ten_left(flattened([](Builder& b, ValueId y) {
    return joined(b, {extent(b, y, 0), b.op("Div", {named(b, "double", {32}), extent(b, y, 1)})});
  }));
  EXPECT_EQ(literal(small, "double"), (Ints{20}));
}

TEST(CutArithmetic, ThroughAdd) {
  const Small small = expect_ten_left(flattened([](Builder& b, ValueId y) {
    return joined(b, {extent(b, y, 0), b.op("Add", {named(b, "most", {14}), extent(b, y, 1)})});
  }));
  EXPECT_EQ(literal(small, "most"), (Ints{8}));
}

TEST(CutArithmetic, ThroughSubOnEitherSide) {
  const Small left = expect_ten_left(flattened([](Builder& b, ValueId y) {
    return joined(b, {extent(b, y, 0), b.op("Sub", {named(b, "more", {18}), extent(b, y, 1)})});
  }));
  EXPECT_EQ(literal(left, "more"), (Ints{12}));
  const Small right = expect_ten_left(flattened([](Builder& b, ValueId y) {
    const auto twelve = b.op("Mul", {extent(b, y, 1), b.ints({6})});
    return joined(b, {extent(b, y, 0), b.op("Sub", {twelve, named(b, "less", {-4})})});
  }));
  EXPECT_EQ(literal(right, "less"), (Ints{2}));
}

TEST(CutArithmetic, ThroughWhatMovesElements) {
  const Small small = expect_ten_left(flattened([](Builder& b, ValueId y) {
    const auto number = b.op("Cast", {b.initializer("number", tensor::from_ints(DType::int32, {}, Ints{16}))},
                             {attr("to", static_cast<int>(DType::int64))});
    const auto vector = b.op("Unsqueeze", {b.op("Identity", {number}), b.ints({0})});
    return joined(b, {extent(b, y, 0), b.op("Reshape", {vector, b.ints({-1})})});
  }));
  EXPECT_EQ(literal(small, "number"), (Ints{10}));
  EXPECT_EQ(Small::fact(small.first, small.model.graph.find("number")).dtype, DType::int32);
}

TEST(CutArithmetic, ThroughGatherFromAList) {
  const Small small = expect_ten_left(flattened([](Builder& b, ValueId y) {
    return joined(b, {extent(b, y, 0), b.op("Gather", {named(b, "widths", {4, 16, 64}), b.ints({-2})})});
  }));
  EXPECT_EQ(literal(small, "widths"), (Ints{4, 10, 64}));
}

TEST(CutArithmetic, ALiteralThatAnotherReaderNeedsIsCopied) {
  Builder b("shared");
  const auto x = b.input("x", DType::float32, dims({-1, 2, 8}));
  const auto width = named(b, "width", {8});
  const auto target = [&](ValueId y) { return joined(b, {extent(b, y, 0), b.op("Mul", {extent(b, y, 1), width})}); };
  const auto whole = b.op("Reshape", {x, target(x)}, {}, "whole");
  const auto y = linear(b, x, "a", 8, 8);
  const auto thin = b.op("Reshape", {y, target(y)}, {}, "thin");
  const auto sum = b.op("Add", {linear(b, whole, "l", 16, 2), linear(b, thin, "r", 16, 2)});
  const Prepared prepared = finish(std::move(b), sum, {-1, 2});
  const Small small(prepared, without(prepared, "a", 1, {1, 2, 3}));
  EXPECT_EQ(literal(small, "width"), (Ints{8}));
  EXPECT_EQ(small.operand("whole", 1)[1], 16);
  EXPECT_EQ(small.operand("thin", 1)[1], 10);
  EXPECT_NE(small.operand("thin", 1)[0], small.operand2("thin", 1)[0]);
  EXPECT_EQ(small.count("Where"), 0u);
}

TEST(CutArithmetic, ATargetReadByTwoIsComputedTwice) {
  Builder b("shared");
  const auto x = b.input("x", DType::float32, dims({-1, 2, 8}));
  const auto target = joined(b, {extent(b, x, 0), b.ints({16})});
  const auto whole = b.op("Reshape", {x, target}, {}, "whole");
  const auto thin = b.op("Reshape", {linear(b, x, "a", 8, 8), target}, {}, "thin");
  const auto sum = b.op("Add", {linear(b, whole, "l", 16, 2), linear(b, thin, "r", 16, 2)});
  const Prepared prepared = finish(std::move(b), sum, {-1, 2});
  const Small small(prepared, without(prepared, "a", 1, {1, 2, 3}));
  EXPECT_EQ(small.operand("whole", 1)[1], 16);
  EXPECT_EQ(small.operand("thin", 1)[1], 10);
  EXPECT_NE(small.operand("thin", 1)[0], small.operand2("thin", 1)[0]);
  EXPECT_EQ(small.count("Concat"), 2u);
}

TEST(CutArithmetic, ALiteralThatLeavesTheGraphIsCopied) {
  Builder b("output");
  const auto y = linear(b, b.input("x", DType::float32, dims({1, 2, 3})), "a", 3, 8);
  const auto target = named(b, "target", {1, 16});
  const auto flat = b.op("Reshape", {y, target}, {}, "flat");
  b.output(target, DType::int64, dims({2}));
  const Prepared prepared = finish(std::move(b), linear(b, flat, "c", 16, 5), {1, 5});
  const Small small(prepared, without(prepared, "a", 1, {0}));
  EXPECT_EQ(literal(small, "target"), (Ints{1, 16}));
  EXPECT_EQ(small.operand("flat", 1), (Ints{1, 14}));
}

TEST(CutArithmetic, HeadsAndTheirWidthFromOneLiteral) {
  // Swin's way: (batch, 6, 8) to (batch, 6, heads, C / heads) with a literal number of heads.
  Builder b("heads");
  const auto x = b.input("x", DType::float32, dims({-1, 6, 8}));
  const auto count = named(b, "count", {4});
  const auto split = [&](std::string_view name) {
    const auto y = linear(b, x, name, 8, 8);
    const auto target = joined(b, {extent(b, y, 0), extent(b, y, 1), count, b.op("Div", {extent(b, y, 2), count})});
    return b.op("Transpose", {b.op("Reshape", {y, target}, {}, std::string(name) + "_split")},
                {ints("perm", {0, 2, 1, 3})});
  };
  const auto q = split("q"), k = b.op("Transpose", {split("k")}, {ints("perm", {0, 1, 3, 2})}), v = split("v");
  const auto scores = b.op("Softmax", {b.op("MatMul", {q, k})}, {attr("axis", -1)});
  const auto mixed = b.op("Transpose", {b.op("MatMul", {scores, v})}, {ints("perm", {0, 2, 1, 3})});
  const auto flat = b.op("Reshape", {mixed, b.ints({0, 0, -1})});
  const Prepared prepared = finish(std::move(b), linear(b, flat, "o", 8, 8), {-1, 6, 8});
  const Small small(prepared, without(prepared, "q", 1, {0, 7}));  // the first and the last head
  for (const char* name : {"q_split", "k_split", "v_split"}) {
    const Ints first = small.operand(name, 1), second = small.operand2(name, 1);
    EXPECT_EQ(first, (Ints{first[0], 6, 2, 2}));
    EXPECT_EQ(second, (Ints{second[0], 6, 2, 2}));
    EXPECT_NE(first[0], second[0]);
  }
  EXPECT_EQ(small.shape("o"), (Shape{4, 8}));
}

ValueId sliced_target(Builder& b, ValueId y) {
  return b.op("Slice", {joined(b, {extent(b, y, 0), b.ints({16, 99})}), b.ints({0}), b.ints({2})}, {}, "target");
}

TEST(CutArithmetic, WhatCannotBeTurnedBackIsPatchedWhereItIsStatic) {
  const Prepared prepared = flattened(sliced_target);
  const Small small(prepared, without(prepared, "a", 1, {0, 3, 4}));
  EXPECT_EQ(small.operand("flat", 1)[1], 10);
  EXPECT_EQ(small.operand2("flat", 1)[1], 10);
  EXPECT_NE(small.operand("flat", 1)[0], small.operand2("flat", 1)[0]);
  EXPECT_EQ(small.count("Where"), 1u);
}

TEST(CutArithmetic, WhatIsStaticAltogetherBecomesALiteral) {
  const Prepared prepared = flattened(
      [](Builder& b, ValueId y) {
        // 16 as ceil(2.0 * 8): real numbers on the way.
        const auto width = b.op("Cast", {extent(b, y, 1)}, {attr("to", static_cast<int>(DType::float32))});
        const auto product = b.op("Ceil", {b.op("Mul", {width, b.real_scalar(8)})});
        return joined(b, {b.ints({1}), b.op("Cast", {product}, {attr("to", static_cast<int>(DType::int64))})});
      },
      1);
  const Small small(prepared, without(prepared, "a", 1, {0, 3, 4}));
  EXPECT_EQ(small.operand("flat", 1), (Ints{1, 10}));
  EXPECT_EQ(small.count("Where"), 0u);
  EXPECT_EQ(small.count("Ceil"), 0u);  // nobody reads it any more
}

}  // namespace
}  // namespace coppice::pruning
