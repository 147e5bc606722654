#include "coppice/train/distillation.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/tap.hpp"
#include "coppice/train/trainer.hpp"

#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::small_net;

at::Tensor numbers(std::vector<float> values, at::IntArrayRef shape) {
  return at::tensor(values).view(shape);
}

data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 10, .seed = 3});
}

// The loss of the first batch, and the gradients that it gives.
struct FirstStep : Callback {
  void after_backward(Trainer& trainer) override {
    if (trainer.step() > 0) return;
    loss = trainer.loss().item<double>();
    outputs = trainer.outputs()[0].detach().clone();
    batch = trainer.batch();
  }
  double loss = 0;
  at::Tensor outputs;
  Batch batch;
};

TEST(Distillation, MixesTheLosses) {
  auto net = small_net(), teacher = small_net(5);
  teacher->train();
  auto twin = small_net(5);
  const auto optimizer = make_optimizer({}, net->parameters());
  const auto first = std::make_shared<FirstStep>();
  const auto distillation =
      std::make_shared<DistillationCallback>(DistillationOptions{.teacher = teacher, .temperature = 3, .alpha = 0.25});
  Trainer trainer(net, *optimizer, loader(), {.callbacks = {distillation, first}});
  const History& history = trainer.fit();
  // The teacher is as it was, and answered in evaluation mode.
  expect_same(*teacher, *twin);
  EXPECT_TRUE(teacher->is_training());
  for (const at::Tensor& parameter : teacher->parameters()) EXPECT_FALSE(parameter.grad().defined());
  twin->eval();
  const at::Tensor known = twin->forward(first->batch.inputs[0]);
  EXPECT_NEAR(first->loss,
              0.25 * soft_target_loss(first->outputs, known, 3).item<double>() +
                  0.75 * cross_entropy()({first->outputs}, first->batch.target).item<double>(),
              1e-5);
  ASSERT_EQ(history.epochs[0].values.size(), 1U);
  EXPECT_EQ(history.epochs[0].values[0].first, "distillation");
  EXPECT_GT(history.epochs[0].values[0].second, 0);
}

// The random numbers of the student's dropout are the same with a teacher, also one with dropout.
TEST(Distillation, DrawsNoRandomNumbers) {
  auto one = small_net(), two = small_net();
  const auto first = make_optimizer({}, one->parameters()), second = make_optimizer({}, two->parameters());
  Trainer(one, *first, loader(), {.epochs = 2}).fit();
  const auto nothing = std::make_shared<DistillationCallback>(DistillationOptions{.teacher = small_net(5), .alpha = 0});
  Trainer(two, *second, loader(), {.epochs = 2, .callbacks = {nothing}}).fit();
  expect_same(*one, *two);
}

TEST(Distillation, LogitsAndDecoupled) {
  for (const DistillationKind kind : {DistillationKind::logits, DistillationKind::decoupled}) {
    auto net = small_net(), teacher = small_net(5);
    teacher->eval();
    const auto optimizer = make_optimizer({}, net->parameters());
    const auto first = std::make_shared<FirstStep>();
    const auto distillation =
        std::make_shared<DistillationCallback>(DistillationOptions{.teacher = teacher, .kind = kind, .alpha = 1});
    Trainer(net, *optimizer, loader(), {.callbacks = {distillation, first}}).fit();
    const at::Tensor known = teacher->forward(first->batch.inputs[0]);
    const at::Tensor expected = kind == DistillationKind::logits
                                    ? (first->outputs - known).square().mean()
                                    : decoupled_loss(first->outputs, known, first->batch.target, 4, 1, 8);
    EXPECT_NEAR(first->loss, expected.item<double>(), 1e-4 * first->loss);
  }
}

// Points as pictures of 2x4 with one channel, through a network with taps.
torch::nn::Sequential tapped(std::int64_t width, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  return torch::nn::Sequential({{"conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, width, 3).padding(1)).ptr()},
                                {"relu", torch::nn::ReLU().ptr()},
                                {"tap", Tap().ptr()},
                                {"flat", torch::nn::Flatten().ptr()},
                                {"fc", torch::nn::Linear(width * 8, 3).ptr()}});
}

std::vector<std::pair<at::Tensor, at::Tensor>> pictures() {
  std::vector<std::pair<at::Tensor, at::Tensor>> out;
  loader().for_each(0, 0, [&](const Batch& batch) {
    out.emplace_back(batch.inputs[0].view({-1, 1, 2, 4}), batch.target);
    return true;
  });
  return out;
}

at::Tensor features(torch::nn::Sequential& net, const at::Tensor& x) {
  return at::relu(net->ptr<torch::nn::Conv2dImpl>(0)->forward(x));
}

TEST(Distillation, ComparesWhatGoesThroughTaps) {
  for (const DistillationKind kind : {DistillationKind::attention, DistillationKind::fitnet}) {
    auto net = tapped(4), teacher = tapped(4, 5);
    const auto optimizer = make_optimizer({}, net->parameters());
    const auto first = std::make_shared<FirstStep>();
    const auto distillation = std::make_shared<DistillationCallback>(
        DistillationOptions{.teacher = teacher, .kind = kind, .alpha = 1, .activations = {{"tap"}}});
    const at::Tensor x = pictures()[0].first;
    const at::Tensor mine = features(net, x), known = features(teacher, x);
    const at::Tensor expected =
        kind == DistillationKind::attention ? attention_loss(mine, known) : (mine - known).square().mean();
    const History history =
        Trainer(net, *optimizer, pictures(), {.epochs = 5, .callbacks = {distillation, first}}).fit();
    EXPECT_NEAR(first->loss, expected.item<double>(), 1e-5);
    EXPECT_LT(history.epochs[4].values[0].second, history.epochs[0].values[0].second * 0.9);
    EXPECT_EQ(optimizer->param_groups()[0].params().size(), 4U);
  }
}

TEST(Distillation, MapsActivationsOfOtherWidths) {
  // The student's only channel is half the teacher's first; the least squares find the matrix (2, 0).
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    torch::nn::Sequential net(
        {{"conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 1, 1).bias(false)).ptr()}, {"tap", Tap().ptr()}});
    torch::nn::Sequential teacher(
        {{"conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 2, 1).bias(false)).ptr()}, {"tap", Tap().ptr()}});
    {
      const at::NoGradGuard no_gradients;
      net->parameters()[0].fill_(1);
      teacher->parameters()[0].copy_(numbers({2, 0}, {2, 1, 1, 1}));
    }
    torch::optim::SGD optimizer(net->parameters(), 0.1);
    const auto first = std::make_shared<FirstStep>();
    const auto distillation = std::make_shared<DistillationCallback>(DistillationOptions{
        .teacher = teacher, .kind = DistillationKind::fitnet, .alpha = 1, .activations = {{"tap", "tap"}}});
    struct Size : Callback {
      void after_backward(Trainer& trainer) override {
        const auto& all = trainer.optimizer().param_groups()[0].params();
        ASSERT_EQ(all.size(), 2U);
        map = all[1].detach().clone();
      }
      at::Tensor map;
    };
    const auto size = std::make_shared<Size>();
    const std::vector<std::pair<at::Tensor, at::Tensor>> data{
        {at::arange(1, 9).view({2, 1, 2, 2}).to(at::kFloat), at::zeros({2, 1, 2, 2})}};
    Trainer(net, optimizer, data, {.loss = mse(), .precision = precision, .callbacks = {distillation, first, size}})
        .fit();
    EXPECT_NEAR(first->loss, 0, 1e-9);
    EXPECT_EQ(size->map.scalar_type(), at::kFloat);
    EXPECT_TRUE(size->map.allclose(numbers({2, 0}, {2, 1}), 1e-4, 1e-4)) << size->map;
    EXPECT_EQ(optimizer.param_groups()[0].params().size(), 1U);
  }
}

std::shared_ptr<GraphModule> as_graph(torch::nn::Sequential net) {
  return std::make_shared<GraphModule>(onnx_model(net, {at::ones({2, 1, 2, 4})}, {.dynamic_batch = true}));
}

// The name of what the only node of an operator gives.
std::string result_of(const GraphModule& module, const char* op) {
  const graph::Model model = module.model();
  for (const graph::Node& node : model.graph.nodes)
    if (node.is(op)) return std::string(model.graph.name_of(node.output(0)));
  return "none";
}

TEST(Distillation, LearnsFromTheDenseOriginalWhileItIsCut) {
  for (const DistillationKind kind :
       {DistillationKind::soft_target, DistillationKind::attention, DistillationKind::fitnet}) {
    auto net = as_graph(tapped(8));
    DistillationOptions options{.kind = kind};
    if (kind != DistillationKind::soft_target) options.activations = {{result_of(*net, "Relu")}};
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    const auto prune =
        std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 50, .schedule = Schedule::linear});
    const auto distillation = std::make_shared<DistillationCallback>(options);
    const History history =
        Trainer(net, *optimizer, pictures(), {.epochs = 4, .callbacks = {distillation, prune}}).fit();
    EXPECT_EQ(net->constants().at("conv.weight").size(0), 4);
    EXPECT_LT(history.epochs[3].training_loss, history.epochs[0].training_loss);
    EXPECT_EQ(optimizer->param_groups()[0].params().size(), 4U);
  }
}

TEST(Distillation, GoesOnAsIfItHadNeverStopped) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  // The weights of a fresh model are others: the teacher of the checkpoint counts.
  const auto train = [&](std::uint64_t seed, int stop, bool resume) {
    auto net = as_graph(tapped(8, seed));
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    Trainer trainer(net, *optimizer, pictures(),
                    {.epochs = 3,
                     .callbacks = {std::make_shared<DistillationCallback>(DistillationOptions{
                                       .kind = DistillationKind::fitnet, .activations = {{result_of(*net, "Relu")}}}),
                                   std::make_shared<PruneCallback>(
                                       PrunerOptions{.pruning_ratio = 50, .schedule = Schedule::linear}),
                                   std::make_shared<test::StopAfter>(stop)},
                     .checkpoint = path});
    if (resume) trainer.resume(path);
    const History history = trainer.fit();
    return std::make_pair(net, history);
  };
  const auto [whole, history] = train(1, 1000, false);
  for (const int stop : {2, 14, 27}) {
    train(1, stop, false);
    const auto [fresh, again] = train(2, 1000, true);
    expect_same(*whole, *fresh);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again.epochs[i].values[0], history.epochs[i].values[0]);
  }
}

TEST(FrozenCopy, ComputesTheSameForGood) {
  auto net = small_net();
  net->eval();
  const at::Tensor x = at::randn({5, 8}), before = net->forward(x).detach();
  const auto graph = std::make_shared<GraphModule>(onnx_model(net, {at::ones({2, 8})}, {.dynamic_batch = true}));
  const Callable clone = frozen_copy(net), traced = frozen_copy(Callable(net), {at::ones({1, 8})}),
                 copied = frozen_copy(graph);
  net->train();
  {
    const at::NoGradGuard no_gradients;
    for (at::Tensor& parameter : net->parameters()) parameter.add_(1);
    for (at::Tensor& parameter : graph->parameters()) parameter.add_(1);
  }
  for (const Callable& copy : {clone, traced, copied}) {
    EXPECT_TRUE(copy({x})[0].allclose(before, 1e-5, 1e-6));
    EXPECT_FALSE(copy.module().is_training() || copy.module().parameters()[0].requires_grad());
  }
  struct Plain : torch::nn::Module {
    at::Tensor forward(at::Tensor value) { return value; }
  };
  EXPECT_THROW(frozen_copy(std::make_shared<Plain>()), Error);
}

TEST(FrozenCopy, OfACutModuleIsCut) {
  auto net = small_net();
  Pruner(net, {.pruning_ratio = 50}).prune_model();
  net->eval();
  const at::Tensor x = at::randn({5, 8});
  EXPECT_TRUE(frozen_copy(net)({x})[0].equal(net->forward(x)));
}

TEST(Distillation, RefusesWhatItCannotDo) {
  EXPECT_THROW(DistillationCallback({.temperature = 0}), Error);
  EXPECT_THROW(DistillationCallback({.alpha = 1.5}), Error);
  EXPECT_THROW(DistillationCallback({.kind = DistillationKind::fitnet}), Error);
  EXPECT_THROW(DistillationCallback({.kind = DistillationKind::logits, .activations = {{"tap"}}}), Error);
  EXPECT_THROW(parse_distillation("soft"), Error);
  EXPECT_EQ(parse_distillation("attention"), DistillationKind::attention);
  auto net = tapped(4);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const auto refused = [&](DistillationOptions options) {
    try {
      Trainer(net, optimizer, pictures(), {.callbacks = {std::make_shared<DistillationCallback>(std::move(options))}})
          .fit();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(refused({.teacher = net}), "distillation: expected a teacher of its own, found the student");
  EXPECT_EQ(refused({.teacher = tapped(4, 2), .kind = DistillationKind::fitnet, .activations = {{"tip"}}}),
            "activation: no Tap is named \"tip\"; nearest: tap");
  EXPECT_EQ(refused({.kind = DistillationKind::fitnet, .activations = {{"tap", "nowhere"}}}).substr(0, 15),
            "no value is nam");
  EXPECT_NE(refused({.teacher = small_net()}).find("epoch 1, batch 1: "), std::string::npos);
}

}  // namespace
}  // namespace coppice
