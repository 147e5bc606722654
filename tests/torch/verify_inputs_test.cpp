#include "coppice/graph/builder.hpp"

#include "support/special_graphs.hpp"
#include "verify_job.hpp"

// Cuts of models whose activations are rounded, and of those whose inputs shape the computation.
namespace coppice {
namespace {
using namespace verify_job;

class VerifyQuantised : public testing::TestWithParam<test::SpecialGraph> {};

TEST_P(VerifyQuantised, ProvesHalfOfItGone) {
  Job j = job(test::build(GetParam()).model);
  const Verification v = j.verify({.samples = 8});
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_LT(v.error, 2e-5);
  EXPECT_GT(v.moved, 0.02);
  EXPECT_TRUE(v.changed.empty());
}

// One step less in every weight of one constant.
TEST_P(VerifyQuantised, SeesOneStepInTheWeights) {
  Job j = job(test::build(GetParam()).model);
  const graph::Graph& graph = j.pruned.graph;
  std::string name;
  for (const graph::Initializer& one : graph.initializers)
    if (graph.constant(one.value)->shape.size() > 1 && !is_real(graph.constant(one.value)->dtype))
      name = graph.name_of(one.value);
  ASSERT_FALSE(name.empty());
  edit(j.pruned, name, [](double q) { return q > 0 ? q - 1 : q + 1; });
  const Verification v = j.verify({.samples = 8});
  EXPECT_FALSE(v.passed);
  EXPECT_GT(v.error, 1e-4);
  EXPECT_EQ(v.changed, (std::vector<std::string>{name}));
}

INSTANTIATE_TEST_SUITE_P(Models, VerifyQuantised, testing::ValuesIn(test::special_quantised()),
                         [](const auto& model) { return std::string(model.param.name); });

tensor::Tensor random(tensor::Shape shape, std::uint64_t seed) {
  std::uint64_t state = seed;
  std::vector<double> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (double& value : values) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    value = static_cast<double>(state >> 40) / (1 << 24) - 0.5;
  }
  return tensor::from_doubles(tensor::DType::float32, std::move(shape), values);
}

// Two linear layers, whose result takes the shape that the second input asks for.
graph::Model shaped_by_input() {
  graph::Builder b("shaped");
  const graph::ValueId x = b.input("x", tensor::DType::float32, {{-1, "batch"}, {8, {}}});
  const graph::ValueId shape = b.input("shape", tensor::DType::int64, {{2, {}}});
  const graph::ValueId hidden =
      b.op("Relu", {b.op("Gemm", {x, b.initializer("w1", random({8, 16}, 1)), b.initializer("b1", random({16}, 2))})});
  const graph::ValueId y = b.op("Gemm", {hidden, b.initializer("w2", random({16, 6}, 3))});
  b.output(b.op("Reshape", {y, shape}), tensor::DType::float32, {{-1, "rows"}, {-1, "columns"}});
  return std::move(b).finish();
}

TEST(Verify, AnInputThatIsAShapeGetsALegalOne) {
  Job j = job(shaped_by_input());
  EXPECT_EQ(j.pruned.graph.constant(j.pruned.graph.find("w1"))->shape, (tensor::Shape{8, 8}));
  const Verification v = j.verify({.shapes = {{"x", {5, 8}}}});
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_TRUE(v.exact);
  EXPECT_LT(v.error, 1e-5);
  EXPECT_GT(v.moved, 0.02);
  EXPECT_EQ(v.samples, 4);
  ASSERT_EQ(v.outputs.size(), 1U);
  EXPECT_EQ(v.outputs[0].shape, (graph::Shape{30, 1}));
  edit(j.pruned, "b1", [](double value) { return value + 0.1; });
  EXPECT_FALSE(j.verify().passed);
}

}  // namespace
}  // namespace coppice
