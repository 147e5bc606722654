#include "coppice/torch/evidence.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <torch/nn.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/message.hpp"
#include "torch/two_layers.hpp"

namespace coppice {
namespace {

const Criterion all_gradients("all", [](const WeightView& w) { return w.weight; },
                              {.gradient = true, .squared_gradient = true});

NamedTensors parameters_of(torch::nn::Module& module) {
  NamedTensors out;
  for (const auto& item : module.named_parameters()) out.emplace_back(item.key(), item.value());
  return out;
}

double number(const at::Tensor& tensor) {
  return tensor.item<double>();
}

// y = w x with x = 1, 2, 3: the gradients of the samples are 1, 2 and 3.
TEST(Evidence, SquaredGradientsAddUpOverSamples) {
  torch::nn::Linear linear(torch::nn::LinearOptions(1, 1).bias(false));
  linear->weight.data().fill_(3);
  const at::Tensor x = numbers({1, 2, 3}, {3, 1});
  const std::vector<Batch> together{{{x}, at::zeros({3})}};
  const std::vector<Batch> apart{{{x.narrow(0, 0, 1)}, at::zeros({1})}, {{x.narrow(0, 1, 2)}, at::zeros({2})}};
  for (const auto& batches : {together, apart}) {
    const Evidence found =
        collect(linear, parameters_of(*linear), all_gradients.options(), {.data = batches, .loss = mean_loss});
    const WeightView& view = found.at("weight");
    EXPECT_NEAR(number(view.squared_gradient) * 3, 14, 1e-9);
    EXPECT_NEAR(number(view.gradient), 2, 1e-9);
    EXPECT_NEAR(number(weight_scores(hessian, found).at("weight")), 9 * 14 / 3.0, 1e-9);
    EXPECT_NEAR(number(weight_scores(obd, found).at("weight")), 9 * 14 / 6.0, 1e-9);
  }
  // A batch of two counts twice as much as one of one.
  CriterionOptions gradients{.gradient = true};
  const Evidence found = collect(linear, parameters_of(*linear), gradients, {.data = apart, .loss = mean_loss});
  EXPECT_NEAR(number(found.at("weight").gradient), 2, 1e-9);
  EXPECT_FALSE(found.at("weight").squared_gradient.defined());
  const Evidence first =
      collect(linear, parameters_of(*linear), gradients, {.data = apart, .loss = mean_loss, .batches = 1});
  EXPECT_NEAR(number(first.at("weight").gradient), 1, 1e-9);
}

TEST(Evidence, LossesAreThoseOfLibtorch) {
  torch::nn::Linear linear(4, 3);
  const at::Tensor x = at::randn({5, 4}), classes = at::randint(3, {5}, at::kLong), values = at::randn({5, 3});
  const auto expect = [&](const Loss& loss, const at::Tensor& target, const at::Tensor& reference) {
    const std::vector<Batch> batches{{{x.narrow(0, 0, 2)}, target.narrow(0, 0, 2)},
                                     {{x.narrow(0, 2, 3)}, target.narrow(0, 2, 3)}};
    const Evidence found =
        collect(linear, parameters_of(*linear), all_gradients.options(), {.data = batches, .loss = loss});
    reference.backward();
    EXPECT_TRUE(at::allclose(found.at("weight").gradient, linear->weight.grad().to(at::kDouble), 1e-5, 1e-7));
    EXPECT_TRUE(at::allclose(found.at("bias").gradient, linear->bias.grad().to(at::kDouble), 1e-5, 1e-7));
    linear->zero_grad();
  };
  expect(cross_entropy(), classes.to(at::kByte), at::cross_entropy_loss(linear->forward(x), classes));
  expect(mse(), values, at::mse_loss(linear->forward(x), values));
  EXPECT_THROW(mse()({values}, at::zeros({5, 1})), Error);

  // A language model's classes come last.
  const at::Tensor logits = at::randn({2, 5, 7}), tokens = at::randint(7, {2, 5}, at::kLong);
  const at::Tensor expected = at::cross_entropy_loss(logits.reshape({10, 7}), tokens.flatten());
  EXPECT_TRUE(at::allclose(cross_entropy()({logits}, tokens), expected));
  const auto refusal = [&](const at::Tensor& outputs, const at::Tensor& target) {
    return test::message([&] { cross_entropy()({outputs}, target); });
  };
  const at::Tensor ten = at::zeros({4, 10});
  EXPECT_EQ(refusal(ten, at::tensor({0, -100, 97, 3})),
            "cross-entropy: expected classes from 0 to 9, for the output has 10, found 97");
  EXPECT_EQ(refusal(ten, at::tensor({0, -100, -1, 3})),
            "cross-entropy: expected classes from 0 to 9, for the output has 10, found -1");
  EXPECT_EQ(refusal(ten, at::zeros({4, 1}, at::kLong)), "cross-entropy: expected classes in the shape 4, found 4x1");
  EXPECT_EQ(refusal(ten, at::zeros({4})),
            "cross-entropy: expected floating-point targets of the output's shape 4x10, found 4");
  EXPECT_TRUE(at::allclose(cross_entropy()({logits.movedim(2, 1)}, tokens), expected));
  const at::Tensor either = at::randn({2, 5, 5}), which = at::zeros({2, 5}, at::kLong);
  EXPECT_THROW(cross_entropy()({either}, which), Error);
}

TEST(Evidence, LeavesTheModuleAsItWas) {
  torch::nn::Sequential model(torch::nn::Linear(4, 8), torch::nn::BatchNorm1d(8), torch::nn::Dropout(),
                              torch::nn::Linear(8, 2));
  model->train();
  model[2]->eval();  // modes may be mixed
  model->forward(at::randn({3, 4})).sum().backward();
  std::vector<at::Tensor> before;
  const auto all = [&] {
    std::vector<at::Tensor> out = model->buffers();
    for (const at::Tensor& parameter : model->parameters()) {
      out.push_back(parameter.detach());
      out.push_back(parameter.grad());
    }
    return out;
  };
  for (const at::Tensor& tensor : all()) before.push_back(tensor.clone());
  const auto unchanged = [&] {
    const auto now = all();
    for (std::size_t i = 0; i < before.size(); ++i)
      if (!now[i].equal(before[i])) return false;
    return model->is_training() && !model[2]->is_training() && model[1]->is_training();
  };
  const auto attempt = [&](Calibration calibration, const NamedTensors& parameters = {},
                           CriterionOptions options = all_gradients.options()) -> std::string {
    torch::manual_seed(7);
    const at::Tensor expected = at::rand({3});
    torch::manual_seed(7);
    std::string message = "no error";
    try {
      collect(model, parameters.empty() ? parameters_of(*model) : parameters, options, calibration);
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_TRUE(at::rand({3}).equal(expected)) << message;
    EXPECT_TRUE(unchanged()) << message;
    return message;
  };
  const auto with = [](at::Tensor x, at::Tensor target) { return std::vector<Batch>{{{x}, target}}; };
  const at::Tensor x = at::randn({3, 4}), target = at::randint(2, {3}, at::kLong);

  const std::vector<Batch> good = with(x, target), none;
  EXPECT_EQ(attempt({.data = good, .loss = cross_entropy()}), "no error");
  EXPECT_EQ(attempt({.data = good}), "the criterion looks at gradients: expected a loss function, found none");
  EXPECT_EQ(attempt({.loss = cross_entropy()}), "the criterion looks at data: expected calibration data, found none");
  EXPECT_EQ(attempt({.data = none, .loss = cross_entropy()}), "calibration: expected data, found none");
  EXPECT_EQ(attempt({.data = with(x, {}), .loss = cross_entropy()}),
            "calibration batch 0: expected a target for the loss, found none");
  EXPECT_EQ(attempt({.data = with(x, target.narrow(0, 0, 2)), .loss = cross_entropy()}),
            "calibration batch 0: expected 3 samples in the target, as in the first input, found 2");
  EXPECT_EQ(attempt({.data = with(at::zeros({0, 4}), target), .loss = cross_entropy()}),
            "calibration batch 0: expected samples, found none");
  EXPECT_EQ(attempt({.data = good, .loss = cross_entropy(), .batches = -1}),
            "calibration: expected a number of batches of 0 (all) or more, found -1");
  const at::Tensor poisoned = at::cat({x.narrow(0, 0, 1), at::full({2, 4}, std::numeric_limits<float>::quiet_NaN())});
  EXPECT_EQ(attempt({.data = with(poisoned, target), .loss = cross_entropy()}),
            "calibration batch 0, sample 1: expected a finite loss, found nan");
  EXPECT_NE(attempt({.data = with(at::randn({3, 5}), target), .loss = cross_entropy()}).find("calibration batch 0"),
            std::string::npos);
  EXPECT_NE(attempt({.data = with(x, target + 7), .loss = cross_entropy()}).find("calibration batch 0"),
            std::string::npos);
  const Loss no_mean = [](const std::vector<at::Tensor>& outputs, const at::Tensor&) { return outputs[0]; };
  EXPECT_EQ(attempt({.data = good, .loss = no_mean}),
            "calibration batch 0, sample 0: expected a loss of one number, found 2");
  const Loss constant = [](const std::vector<at::Tensor>&, const at::Tensor&) { return at::ones({}); };
  EXPECT_EQ(attempt({.data = good, .loss = constant}),
            "calibration batch 0, sample 0: the loss depends on no parameter");
  EXPECT_EQ(attempt({.data = good, .loss = cross_entropy()}, {{"frozen", at::ones({2})}}),
            "parameter \"frozen\": expected one that requires a gradient, found one that does not");
  EXPECT_EQ(attempt({.data = good}, {}, {.input_norm = true}),
            "the criterion looks at activations: expected a graph to run, found none");
}

// Under a guard of the caller too, and with a parameter that takes no part.
TEST(Evidence, TakesGradientsWhereTheCallerTakesNone) {
  torch::nn::Linear used(2, 1), unused(2, 1);
  NamedTensors parameters = parameters_of(*used);
  parameters.emplace_back("unused", unused->weight);
  const std::vector<Batch> batches{{{at::ones({1, 2})}, at::zeros({1})}};
  const at::NoGradGuard no_gradients;
  const Evidence found = collect(used, parameters, all_gradients.options(), {.data = batches, .loss = mean_loss});
  EXPECT_TRUE(found.at("weight").gradient.equal(at::ones({1, 2}, at::kDouble)));
  EXPECT_TRUE(found.at("unused").gradient.equal(at::zeros({1, 2}, at::kDouble)));
}

TEST(Evidence, InitialWeightsMustFit) {
  Evidence evidence{{"A", {.weight = at::ones({2, 2})}}};
  EXPECT_THROW(add_initial(evidence, {}), Error);
  EXPECT_THROW(add_initial(evidence, {{"A", at::ones({2, 1})}}), Error);
  const at::Tensor source = at::ones({2, 2});
  const NamedTensors copy = snapshot({{"A", source}});
  source.fill_(5);
  add_initial(evidence, copy);
  EXPECT_TRUE(evidence.at("A").initial.equal(at::ones({2, 2})));
  EXPECT_THROW(weight_scores(taylor, evidence), Error);  // asks for a gradient
}

TEST(Evidence, NormsOfGroupedConvolutionsAreThoseOfTheirChannels) {
  graph::Builder b("grouped");
  graph::ValueId x = b.input("x", graph::DType::float32, {{-1, "batch"}, {4, {}}, {1, {}}, {2, {}}});
  x = b.op("Conv", {x, b.initializer("first", pruning::filled({4, 4, 1, 1}))});
  const graph::ValueId w = b.initializer("w", pruning::filled({4, 2, 1, 1}));
  x = b.op("Conv", {x, w}, {graph::attr("group", 2)}, "grouped");
  x = b.op("Conv", {x, b.initializer("last", pruning::filled({1, 4, 1, 1}))});
  b.output(x, graph::DType::float32, {{-1, "batch"}, {1, {}}, {1, {}}, {2, {}}});
  const pruning::Prepared prepared = pruning::prepare(std::move(b).finish());
  GraphModule module(prepared.model);
  // The first layer passes each channel times its number on.
  module.constants().at("first").data().copy_(at::diag(numbers({1, 2, 3, 4}, {4})).reshape({4, 4, 1, 1}));
  const std::vector<at::Tensor> inputs{numbers({3, 4, 3, 4, 3, 4, 3, 4}, {1, 4, 1, 2})};
  const CriterionOptions options{.input_norm = true, .output_norm = true};
  const Evidence found = collect(module, prepared, options, {.data = inputs});
  // Each channel's norm is 5 times its number; outputs 0 and 1 read channels 0 and 1, outputs 2 and 3 the others.
  const WeightView& view = found.at("w");
  EXPECT_EQ(view.input_axis, 1);
  EXPECT_EQ(view.output_axis, 0);
  EXPECT_TRUE(
      at::allclose(view.input_norm.reshape({4, 2}), numbers({5, 10, 5, 10, 15, 20, 15, 20}, {4, 2}).to(at::kDouble)));
  EXPECT_TRUE(at::allclose(view.output_norm.flatten(), numbers({15, 15, 35, 35}, {4}).to(at::kDouble)));
  EXPECT_EQ(view.output_norm.dim(), 4);
}

TEST(Evidence, NormsCountTheBiasAndMeanOverSamples) {
  graph::Builder b("bias");
  graph::ValueId x = b.input("x", graph::DType::float32, {{-1, "batch"}, {-1, "tokens"}, {1, {}}});
  x = b.op("MatMul", {x, b.initializer("w", pruning::real({1, 2}, {1, 2}))});
  x = b.op("Add", {x, b.initializer("c", pruning::real({2}, {1, 0}))});
  x = b.op("MatMul", {b.op("Relu", {x}), b.initializer("v", pruning::filled({2, 1}))});
  b.output(x, graph::DType::float32, {{-1, "batch"}, {-1, "tokens"}, {1, {}}});
  const pruning::Prepared prepared = pruning::prepare(std::move(b).finish());
  GraphModule module(prepared.model);
  // Two samples of two tokens each, in two batches: 1 2 and 3 4.
  const std::vector<at::Tensor> inputs{numbers({1, 2}, {1, 2, 1}), numbers({3, 4}, {1, 2, 1})};
  const Evidence found = collect(module, prepared, {.input_norm = true, .output_norm = true}, {.data = inputs});
  EXPECT_TRUE(at::allclose(found.at("w").input_norm, at::full({1, 1}, std::sqrt(30 / 2.0), at::kDouble)));
  const at::Tensor outputs = numbers({(4 + 9 + 16 + 25) / 2.0, 4 * 30 / 2.0}, {1, 2}).to(at::kDouble).sqrt();
  EXPECT_TRUE(at::allclose(found.at("w").output_norm, outputs));
  EXPECT_TRUE(at::allclose(found.at("v").input_norm, outputs.t()));
}

TEST(WeightScores, ThoseOfTheCore) {
  const Evidence evidence{{"A", {.weight = numbers({1, -2, 3, 4}, {2, 2})}}};
  const auto scores = [&](const Criterion& criterion) {
    const at::Tensor found = weight_scores(criterion, evidence, 5).at("A");
    EXPECT_EQ(found.sizes(), (std::vector<std::int64_t>{2, 2}));
    return std::vector<double>(found.data_ptr<double>(), found.data_ptr<double>() + 4);
  };
  EXPECT_EQ(scores(large_final), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(scores(small_final), (std::vector<double>{-1, -2, -3, -4}));
  EXPECT_EQ(scores(l2), (std::vector<double>{1, 4, 9, 16}));
  EXPECT_EQ(scores(lamp), (std::vector<double>{1 / 30.0, 4 / 29.0, 9 / 25.0, 1}));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(scores(random)[i], importance::random_score(5, 0, i));
  EXPECT_THROW(scores(fpgm), Error);
}

TEST(WeightScores, OfDataWeightByWeight) {
  const pruning::Prepared prepared = two_layers();
  GraphModule module(prepared.model);
  const auto of = [&](const Criterion& criterion) {
    return weight_scores(criterion, collect(module, prepared, criterion.options(), two_samples()));
  };
  const auto expect = [](const at::Tensor& found, const at::Tensor& expected) {
    EXPECT_TRUE(at::allclose(found, expected.to(at::kDouble))) << found << expected;
  };
  expect(of(taylor).at("A"), numbers({1, 1, 6, 4}, {2, 2}));
  expect(of(taylor_multi_variable).at("A"), numbers({1, 1, 6, 4}, {2, 2}));
  expect(of(snip).at("B"), numbers({7 / 22.0, 3 / 22.0}, {2, 1}));
  // Each weight has the number of its output channel.
  const double low = std::sqrt(18.5), high = std::sqrt(34);
  expect(of(activation_norm).at("A"), numbers({low, high, low, high}, {2, 2}));
}

TEST(Measure, RefusesWhatACriterionMayNotGive) {
  const pruning::Prepared prepared = two_layers();
  const auto refusal = [&](const ScoreFunction& score, CriterionOptions options = {}) -> std::string {
    try {
      measured(prepared, Criterion("mine", score, options), two_samples(), "A", 1);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(refusal([](const WeightView& w) { return w.weight.sum(0); }),
            "criterion \"mine\" on \"A\": expected numbers in the weight's shape 2x2, found 2");
  EXPECT_EQ(refusal([](const WeightView& w) { return w.weight / 0; }),
            "criterion \"mine\" on \"A\": expected finite numbers, found inf");
  EXPECT_EQ(refusal([](const WeightView& w) { return w.weight; }, {.channels = true}),
            "criterion \"mine\" on \"A\": expected 2 numbers, one a channel, found 2x2");
  EXPECT_NE(refusal([](const WeightView& w) { return w.weight.reshape({3}); }).find("criterion \"mine\" on \"A\": "),
            std::string::npos);
  EXPECT_EQ(refusal([](const WeightView&) { return at::Tensor(); }),
            "criterion \"mine\" measures nothing of this model: expected weights that it can score, found none");
  EXPECT_EQ(refusal([](const WeightView& w) { return w.name == "A" ? w.weight : at::Tensor(); }), "no error");
}

// The twin in whole tensors, and the cut model in shrunk ones, tell the same.
TEST(Measure, SameOnTheTwinAndOnTheCutModel) {
  const pruning::Prepared prepared = pruning::prepare(zoo::build("resnet18", 0, {.image_side = 32, .lively = true}));
  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  for (const coupling::Group& group : prepared.couplings.groups())
    for (std::size_t i = 0; i < group.units.size() / 2; ++i) removed[static_cast<std::size_t>(group.units[i])] = 1;
  const graph::Model cut = pruning::cut(prepared, removed);
  const std::vector<Batch> batches{{{at::randn({2, 3, 32, 32})}, at::randint(1000, {2}, at::kLong)}};
  const Calibration calibration{.data = batches, .loss = cross_entropy()};
  for (const Criterion& criterion : {Criterion(taylor), Criterion(hessian), Criterion(activation_magnitude),
                                     Criterion(activation_norm), Criterion(gradient)}) {
    GraphModule twin(pruning::twin(prepared, removed)), small(cut);
    const auto whole =
        make_measure(criterion, prepared, removed, collect(twin, prepared, criterion.options(), calibration));
    // The cut model has an analysis of its own; the names are the same.
    const pruning::Prepared again = pruning::prepare(cut);
    const auto shrunk =
        make_measure(criterion, prepared, removed, collect(small, again, criterion.options(), calibration));
    std::size_t compared = 0;
    for (const coupling::Group& group : prepared.couplings.groups())
      for (const coupling::Site& site : group.sites) {
        const auto a = whole(site), b = shrunk(site);
        ASSERT_EQ(a.size(), b.size()) << prepared.model.graph.name_of(site.constant);
        const double most = a.empty() ? 0 : *std::max_element(a.begin(), a.end());
        for (std::size_t i = 0; i < a.size(); ++i)
          EXPECT_NEAR(a[i], b[i], 1e-4 * most)
              << prepared.model.graph.name_of(site.constant) << " " << criterion.name();
        compared += !a.empty();
      }
    EXPECT_GT(compared, 15U) << criterion.name();
  }
}

}  // namespace
}  // namespace coppice
