#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/scratch.hpp"
#include "verify_job.hpp"

namespace coppice {
namespace {
using namespace verify_job;

class VerifyZoo : public testing::TestWithParam<const char*> {};

TEST_P(VerifyZoo, ProvesHalfOfItGone) {
  const Verification v = job(GetParam()).verify();
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_LT(v.error, 2e-5);
  EXPECT_GT(v.moved, 0.02);
  EXPECT_EQ(v.exact, v.inexact.empty());
  EXPECT_EQ(v.samples, 2);  // the batch is dynamic
  EXPECT_TRUE(v.changed.empty());
  RecordProperty("error", std::to_string(v.error));
  RecordProperty("moved", std::to_string(v.moved));
}

INSTANTIATE_TEST_SUITE_P(Models, VerifyZoo,
                         testing::Values("resnet18", "resnext50_32x4d", "mobilenet_v2", "densenet121",
                                         "efficientnet_b0", "shufflenet_v2_x1_0", "unet_gn", "gpt2_tiny", "llama_tiny",
                                         "lstm_tagger", "mlp"),
                         [](const auto& model) { return std::string(model.param); });

TEST(Verify, AnExactCutIsAlsoWhatSofteningGives) {
  const Verification v = job("mlp").verify();
  EXPECT_TRUE(v.exact);
  EXPECT_LT(v.soft_error, 1e-5);
  ASSERT_EQ(v.outputs.size(), 1U);
  EXPECT_EQ(v.outputs[0].shape, (graph::Shape{1, 10}));
  EXPECT_EQ(v.outputs[0].moved, v.moved);
  EXPECT_FALSE(v.refilled);
}

TEST(Verify, AnInexactCutSaysWhy) {
  const Verification v = job("gpt2_tiny").verify();
  EXPECT_FALSE(v.exact);
  ASSERT_FALSE(v.inexact.empty());
  EXPECT_NE(v.inexact[0].find("statistics over removed units"), std::string::npos) << v.inexact[0];
  EXPECT_EQ(v.soft_error, 0);
}

TEST(Verify, ReadsBackWhatWasWritten) {
  const test::Scratch scratch;
  Job j = job("resnet18");
  formats::write_onnx(j.pruned, scratch / "pruned.onnx");
  j.pruned = formats::read_onnx(scratch / "pruned.onnx");
  const Verification v = j.verify();
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_EQ(find_removed(j.prepared, j.pruned), j.removed);
}

TEST(Verify, ChangedWeightsFailAndAreNamed) {
  Job j = job("resnet18");
  edit(j.pruned, "layer1.0.bn1.bias", [](double x) { return x + 0.5; });
  const Verification v = j.verify();
  EXPECT_FALSE(v.passed);
  EXPECT_GT(v.error, 1e-3);
  EXPECT_EQ(v.changed, (std::vector<std::string>{"layer1.0.bn1.bias"}));
  EXPECT_NE(v.why_not.find("the weights of \"layer1.0.bn1.bias\" are not what cutting the original gives"),
            std::string::npos)
      << v.why_not;
}

TEST(Verify, TheStructureAloneCanBeProven) {
  Job j = job("resnet18");
  edit(j.pruned, "layer1.0.bn1.bias", [](double x) { return x + 0.5; });
  const Verification v = j.verify({.samples = 1, .structure_only = true});
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_TRUE(v.structure_only);
  EXPECT_LT(v.error, 2e-5);
  EXPECT_EQ(v.changed.size(), 1U);
}

TEST(Verify, AWrongAttributeFails) {
  Job j = job("resnet18");
  graph::Node& conv = node(j.pruned, "layer2.0.conv1");
  conv.set("strides", std::vector<std::int64_t>{1, 1});
  node(j.pruned, "layer2.0.downsample.0").set("strides", std::vector<std::int64_t>{1, 1});
  for (const bool structure_only : {false, true}) {
    const Verification v = j.verify({.samples = 1, .structure_only = structure_only});
    EXPECT_FALSE(v.passed);
    EXPECT_GT(v.error, 1e-2);
    EXPECT_NE(v.why_not.find("differs by "), std::string::npos) << v.why_not;
  }
}

TEST(Verify, AModelThatDoesNotRunFails) {
  Job j = job("resnet18");
  node(j.pruned, "layer2.0.conv1").op = "Convolution";
  const Verification v = j.verify();
  EXPECT_FALSE(v.passed);
  EXPECT_NE(v.why_not.find("the pruned model: "), std::string::npos) << v.why_not;
  EXPECT_NE(v.why_not.find("Convolution"), std::string::npos) << v.why_not;
}

TEST(Verify, OtherOutputsFail) {
  Job j = job("mlp");
  j.pruned.graph.values[static_cast<std::size_t>(j.pruned.graph.outputs[0])].name = "other";
  const Verification v = j.verify();
  EXPECT_FALSE(v.passed);
  EXPECT_NE(v.why_not.find("expected the outputs"), std::string::npos) << v.why_not;
}

TEST(Verify, AnotherPlanFails) {
  Job j = job("resnet18");
  j.removed = choose(j.prepared, 6);  // as many, but others
  const Verification v = j.verify();
  EXPECT_FALSE(v.passed);
  EXPECT_GT(v.error, 1e-2);
  EXPECT_NE(v.why_not.find("are not what cutting the original gives"), std::string::npos) << v.why_not;
  // One more unit gone.
  std::fill(j.removed.begin(), j.removed.end(), std::uint8_t{0});
  const Verification none = j.verify();
  EXPECT_FALSE(none.passed);
  EXPECT_NE(none.why_not.find("not this cut of the original: constant \"conv1.weight\": expected float32 64x3x7x7"),
            std::string::npos)
      << none.why_not;
}

TEST(Verify, AnUncutModelIsItself) {
  const pruning::Prepared prepared = pruning::prepare(zoo::build("mlp"));
  const std::vector<std::uint8_t> none(prepared.couplings.units().size(), 0);
  const Verification v = verify(prepared, none, zoo::build("mlp"), {.samples = 1});
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_EQ(v.error, 0);
  EXPECT_EQ(v.moved, 0);
}

TEST(Verify, ADeadHeadIsRefilled) {
  graph::Model model = zoo::build("resnet18", 1, {.image_side = 32});
  edit(model, "fc.weight", [](double) { return 0.0; });
  Job j = job(std::move(model));
  const Verification v = j.verify();
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_TRUE(v.refilled);
  EXPECT_LT(v.error, 2e-5);
  EXPECT_GT(v.moved, 0.02);

  // What the zeros hid shows up: a wrong stride leaves the outputs as they are.
  node(j.pruned, "layer2.0.conv1").set("strides", std::vector<std::int64_t>{1, 1});
  node(j.pruned, "layer2.0.downsample.0").set("strides", std::vector<std::int64_t>{1, 1});
  const Verification wrong = j.verify();
  EXPECT_FALSE(wrong.passed);
  EXPECT_GT(wrong.error, 1e-2);

  // And so do other weights.
  j = job(std::move(j.prepared.model));
  edit(j.pruned, "conv1.weight", [](double x) { return -x; });
  const Verification changed = j.verify();
  EXPECT_FALSE(changed.passed);
  EXPECT_EQ(changed.changed, (std::vector<std::string>{"conv1.weight"}));
}

TEST(Verify, AnOutputThatNothingMovesProvesNothing) {
  graph::Model model = zoo::build("mlp");
  graph::Graph& g = model.graph;
  // The result times zero, by a number that is no weight.
  graph::Node zero;
  zero.op = "Mul";
  const graph::ValueId scalar = g.add_initializer("nothing", tensor::Tensor::scalar(0.0f));
  const graph::ValueId out = g.outputs[0], hidden = g.fresh("hidden");
  for (graph::Node& n : g.nodes) std::replace(n.outputs.begin(), n.outputs.end(), out, hidden);
  zero.inputs = {hidden, scalar};
  zero.outputs = {out};
  g.nodes.push_back(std::move(zero));
  g.sort();
  const Verification v = job(std::move(model)).verify();
  EXPECT_FALSE(v.passed);
  EXPECT_TRUE(v.refilled);
  EXPECT_NE(v.why_not.find("the outputs say nothing"), std::string::npos) << v.why_not;
}

TEST(Verify, HalfPrecisionIsComputedInSingle) {
  graph::Model model = zoo::build("resnet18", 1, {.image_side = 32, .lively = true});
  graph::Graph& g = model.graph;
  for (std::size_t i = 0; i < g.values.size(); ++i) {
    const auto id = static_cast<graph::ValueId>(i);
    if (g.values[i].dtype == tensor::DType::float32) g.values[i].dtype = tensor::DType::float16;
    const tensor::Tensor* t = g.constant(id);
    if (!t || t->dtype != tensor::DType::float32) continue;
    std::vector<double> values(static_cast<std::size_t>(t->elements()));
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = element_as_double(*t, static_cast<std::int64_t>(k));
    g.set_constant(id, tensor::from_doubles(tensor::DType::float16, t->shape, values));
  }
  Job j = job(std::move(model));
  const Verification v = j.verify();
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_LT(v.error, 2e-5);
  EXPECT_GT(v.moved, 0.02);
  edit(j.pruned, "layer1.0.bn1.bias", [](double x) { return x + 0.05; });
  EXPECT_FALSE(j.verify().passed);
}

TEST(Verify, TakesExtentsAndSamples) {
  const Job j = job("resnet18");
  const Verification v = j.verify({.samples = 2, .seed = 7, .shapes = {{"input", {4, 3, 32, 32}}}});
  EXPECT_TRUE(v.passed) << v.why_not;
  EXPECT_EQ(v.samples, 3);
  EXPECT_EQ(v.outputs.at(0).shape, (graph::Shape{4, 1000}));
}

TEST(Verify, TheSameSeedGivesTheSameFigures) {
  const Job j = job("mlp");
  const Verification a = j.verify({.samples = 1, .seed = 3}), b = j.verify({.samples = 1, .seed = 3});
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.moved, b.moved);
  EXPECT_NE(a.moved, j.verify({.samples = 1, .seed = 4}).moved);
}

TEST(Verify, RefusesOptionsWithoutSense) {
  const Job j = job("mlp");
  EXPECT_THROW(j.verify({.samples = 0}), Error);
  EXPECT_THROW(j.verify({.tolerance = 0}), Error);
  EXPECT_THROW(j.verify({.shapes = {{"nothing", {1}}}}), Error);
  EXPECT_THROW(j.verify({.shapes = {{"input", {1}}}}), Error);
  EXPECT_THROW(verify(j.prepared, std::vector<std::uint8_t>(3, 0), j.pruned), Error);
}

}  // namespace
}  // namespace coppice
