#include "coppice/graph/quantisation.hpp"

#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"

namespace coppice::graph {
namespace {

using Numbers = std::vector<double>;

// An int8 weight of 2 x 3 with a reader that `read` adds.
Quantisation of_weight(void (*read)(Builder&, ValueId), DType dtype = DType::int8) {
  Builder b("quantised");
  const ValueId w = b.initializer("w", tensor::from_doubles(dtype, {2, 3}, Numbers{0, 1, 2, 3, 4, 5}));
  read(b, w);
  const Graph& graph = b.graph();
  return quantisation(graph, graph.consumers(), w);
}

ValueId reals(Builder& b, const Numbers& values) {
  return b.initializer("s" + std::to_string(b.graph().values.size()),
                       tensor::from_doubles(DType::float32, {static_cast<std::int64_t>(values.size())}, values));
}
ValueId zeros(Builder& b, const Numbers& values) {
  return b.initializer("z" + std::to_string(b.graph().values.size()),
                       tensor::from_doubles(DType::int8, {static_cast<std::int64_t>(values.size())}, values));
}

TEST(Quantisation, OfTheWholeTensor) {
  const Quantisation q = of_weight([](Builder& b, ValueId w) {
    b.output(b.op("DequantizeLinear", {w, b.real_scalar(0.5f), zeros(b, {3})}), DType::float32, {});
  });
  EXPECT_EQ(q.scales, Numbers{0.5});
  EXPECT_EQ(q.zero.values, Numbers{3});
}

TEST(Quantisation, OfEveryRow) {
  const Quantisation q = of_weight([](Builder& b, ValueId w) {
    b.output(b.op("DequantizeLinear", {w, reals(b, {1, 2}), zeros(b, {3, 4})}, {attr("axis", -2)}), DType::float32, {});
  });
  EXPECT_EQ(q.axis, 0u);
  EXPECT_EQ(q.scales, (Numbers{1, 2}));
  EXPECT_EQ(q.zero.values, (Numbers{3, 4}));
  EXPECT_EQ(q.zero.axis, 0u);
}

TEST(Quantisation, OfATransposedView) {
  const Quantisation q = of_weight([](Builder& b, ValueId w) {  // 3 x 2, one number for each of the 2
    const ValueId turned = b.op("Transpose", {w});
    b.output(b.op("DequantizeLinear", {turned, reals(b, {1, 2}), zeros(b, {3, 4})}, {attr("axis", 1)}), DType::float32,
             {});
  });
  EXPECT_EQ(q.axis, 0u);
  EXPECT_EQ(q.scales, (Numbers{1, 2}));
  EXPECT_EQ(q.zero.values, (Numbers{3, 4}));
}

TEST(Quantisation, OfAnIntegerProduct) {
  const Quantisation q = of_weight([](Builder& b, ValueId w) {
    const ValueId x = b.input("x", DType::uint8, {{1, {}}, {2, {}}});
    b.output(b.op("MatMulInteger", {x, w, no_value, zeros(b, {5})}), DType::int32, {});
  });
  EXPECT_TRUE(q.scales.empty());
  EXPECT_EQ(q.zero.values, Numbers{5});
}

TEST(Quantisation, NothingForRealsOrNumbersThatDoNotFit) {
  const auto read = [](Builder& b, ValueId w) {
    b.output(b.op("DequantizeLinear", {w, reals(b, {1, 2, 3, 4}), zeros(b, {1, 2, 3, 4})}, {attr("axis", 0)}),
             DType::float32, {});
  };
  EXPECT_TRUE(of_weight(read).zero.values.empty());
  EXPECT_TRUE(of_weight(read).scales.empty());
  EXPECT_TRUE(of_weight(read, DType::float32).zero.values.empty());
}

}  // namespace
}  // namespace coppice::graph
