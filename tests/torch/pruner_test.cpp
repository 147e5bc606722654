#include "coppice/torch/pruner.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/zoo/zoo.hpp"

#include "../../examples/resnet18.hpp"
#include "support/message.hpp"
#include "support/scratch.hpp"

namespace coppice {
namespace {

using test::message;

using Extents = std::vector<std::int64_t>;

at::Tensor example() {
  return at::ones({1, 3, 64, 64});
}

std::vector<at::Tensor> copies(const torch::nn::Module& module) {
  std::vector<at::Tensor> out;
  for (const at::Tensor& tensor : module.parameters()) out.push_back(tensor.detach().clone());
  for (const at::Tensor& tensor : module.buffers()) out.push_back(tensor.detach().clone());
  return out;
}

void expect_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << i;
}

TEST(Pruner, CutsResnet18InPlace) {
  ResNet18 model;
  const at::Tensor conv1 = model->conv1->weight;
  Pruner pruner(model, {.pruning_ratio = 30, .example_inputs = {example()}});
  EXPECT_EQ(describe_ignored(pruner), "Ignoring output layer: fc\nTotal ignored layers: 1\n");
  const PruneStep& step = pruner.prune_model();
  EXPECT_EQ(parameters(*model), 5820556);
  EXPECT_EQ(step.parameters, 5820556);
  EXPECT_EQ(step.parameters_before, 11689512);
  EXPECT_TRUE(step.inexact.empty());
  EXPECT_EQ(model->conv1->options.out_channels(), 44);
  EXPECT_EQ(model->bn1->options.num_features(), 44);
  EXPECT_EQ(model->block(4).conv1->options.in_channels(), 179);
  EXPECT_EQ(model->fc->options.in_features(), 358);
  EXPECT_EQ(model->fc->options.out_features(), 1000);
  EXPECT_EQ(model->conv1->weight.unsafeGetTensorImpl(), conv1.unsafeGetTensorImpl());
  EXPECT_EQ(model->forward(at::randn({2, 3, 64, 64})).sizes(), (Extents{2, 1000}));
}

TEST(Pruner, HalvesEveryWidth) {
  for (const Criterion& criterion : {Criterion(large_final), Criterion(coppice::random)}) {
    ResNet18 model;
    Pruner(model, {.pruning_ratio = "50%", .criterion = criterion, .example_inputs = {example()}}).prune_model();
    EXPECT_EQ(parameters(*model), 3055880);
    for (int stage = 1; stage <= 4; ++stage) EXPECT_EQ(model->block(stage).conv1->options.out_channels(), 16 << stage);
  }
}

TEST(Pruner, GoesInSteps) {
  ResNet18 model;
  Pruner pruner(model, {.pruning_ratio = 0.5, .example_inputs = {example()}, .iterative_steps = 5});
  for (const long long expected : {9481588, 7534380, 5820556, 4318898, 3055880}) {
    ASSERT_FALSE(pruner.done());
    EXPECT_EQ(pruner.prune_model().parameters, expected);
    EXPECT_EQ(parameters(*model), expected);
  }
  EXPECT_TRUE(pruner.done());
  EXPECT_EQ(message([&] { pruner.prune_model(); }), "all steps are done: nothing is left to prune");
}

TEST(Pruner, TakesRatiosByLayer) {
  ResNet18 model;
  const PruningRatio ratios{{"layer1.0.conv1", 20}, {"layer1.0.conv2", 20}, {"layer2.0.conv1", 40},
                            {"layer2.0.conv2", 40}, {"layer3.0.conv1", 60}, {"layer3.0.conv2", 60},
                            {"layer4.0.conv1", 80}, {"layer4.0.conv2", 80}};
  Pruner(model, {.pruning_ratio = ratios, .example_inputs = {example()}}).prune_model();
  const Extents widths{51, 76, 102, 102};
  for (int stage = 1; stage <= 4; ++stage) {
    EXPECT_EQ(model->block(stage).conv1->options.out_channels(), widths[static_cast<std::size_t>(stage - 1)]);
    EXPECT_EQ(model->block(stage).conv2->options.out_channels(), widths[static_cast<std::size_t>(stage - 1)]);
  }
}

TEST(Pruner, LeavesIgnoredLayersWhole) {
  ResNet18 model;
  Pruner(model, {.pruning_ratio = 50, .example_inputs = {example()}, .ignored_layers = {"layer4"}}).prune_model();
  EXPECT_EQ(model->block(4).conv1->options.out_channels(), 512);
  EXPECT_EQ(model->block(3).conv1->options.out_channels(), 128);
}

TEST(Pruner, GivesTheOutputsOfTheSoftCut) {
  ResNet18 model;
  model->eval();
  ResNet18 soft;
  soft->eval();
  {
    const at::NoGradGuard guard;
    for (std::size_t i = 0; i < model->parameters().size(); ++i) soft->parameters()[i].copy_(model->parameters()[i]);
  }
  Pruner pruner(model, {.pruning_ratio = 40, .example_inputs = {example()}});
  pruner.prune_model();
  const at::NoGradGuard guard;
  const auto named = soft->named_parameters();
  for (const pruning::PlanCut& cut : pruner.plan().cuts) {
    const at::Tensor* parameter = named.find(cut.parameter);
    if (!parameter) continue;  // a running statistic: what it normalises is zero already
    at::Tensor gone = at::ones({cut.length}, at::kBool);
    gone.index_fill_(0, at::tensor(cut.kept), false);
    parameter->transpose(0, cut.axis).index_put_({gone}, at::zeros({}));
  }
  const at::Tensor x = at::randn({2, 3, 64, 64});
  const at::Tensor a = model->forward(x), b = soft->forward(x);
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-5 * b.abs().max().item<double>());
}

// A parameter's row i is told by its values, so what the optimizer remembers of it can be found again.
template <class Optimizer, class Memory>
void momentum_survives(Optimizer make, Memory memory) {
  torch::manual_seed(1);
  torch::nn::Sequential model(torch::nn::Linear(6, 8), torch::nn::ReLU(), torch::nn::Linear(8, 3));
  auto optimizer = make(model->parameters());
  const auto train = [&] {
    optimizer.zero_grad();
    model->forward(at::randn({4, 6})).square().mean().backward();
    optimizer.step();
  };
  train();
  train();
  const at::Tensor weight = model->parameters()[0];
  const at::Tensor before = memory(optimizer, weight).clone(), rows = weight.detach().clone();
  const at::Tensor gradient = weight.grad().clone();
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 6})}, .optimizer = &optimizer});
  pruner.prune_model();
  ASSERT_EQ(weight.sizes(), (Extents{4, 6}));
  const Plan plan = pruner.plan();
  const at::Tensor kept = at::tensor(plan.cuts.at(0).kept);
  ASSERT_EQ(plan.cuts[0].parameter, "0.weight");
  EXPECT_TRUE(at::equal(weight.detach(), rows.index_select(0, kept)));
  EXPECT_TRUE(at::equal(memory(optimizer, weight), before.index_select(0, kept)));
  EXPECT_TRUE(at::equal(weight.grad(), gradient.index_select(0, kept)));
  const at::Tensor cut = weight.detach().clone();
  train();
  EXPECT_FALSE(at::equal(weight.detach(), cut));
}

template <class State>
State& state_of(torch::optim::Optimizer& optimizer, const at::Tensor& tensor) {
  using Key = std::decay_t<decltype(optimizer.state())>::key_type;
  return static_cast<State&>(*optimizer.state().at(optimizer_key<Key>(tensor)));
}

TEST(Pruner, MomentumOfSurvivorsIsUntouched) {
  momentum_survives(
      [](auto parameters) {
        return torch::optim::SGD(parameters, torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(true));
      },
      [](auto& optimizer, const at::Tensor& tensor) {
        return state_of<torch::optim::SGDParamState>(optimizer, tensor).momentum_buffer();
      });
  momentum_survives([](auto parameters) { return torch::optim::Adam(parameters); },
                    [](auto& optimizer, const at::Tensor& tensor) {
                      return state_of<torch::optim::AdamParamState>(optimizer, tensor).exp_avg_sq();
                    });
  momentum_survives([](auto parameters) { return torch::optim::AdamW(parameters); },
                    [](auto& optimizer, const at::Tensor& tensor) {
                      return state_of<torch::optim::AdamWParamState>(optimizer, tensor).exp_avg();
                    });
}

TEST(Pruner, TrainingBetweenStepsCounts) {
  torch::manual_seed(2);
  torch::nn::Sequential model(torch::nn::Linear(4, 4), torch::nn::ReLU(), torch::nn::Linear(4, 2));
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 4})}, .iterative_steps = 2});
  pruner.prune_model();
  const at::Tensor first = model->parameters()[0], second = model->parameters()[2];
  ASSERT_EQ(first.size(0), 3);
  const std::vector<std::int64_t> left = pruner.plan().cuts.at(0).kept;
  {
    const at::NoGradGuard guard;  // the middle one of the survivors becomes the least
    first[1].fill_(1e-6);
    second.select(1, 1).fill_(1e-6);
  }
  pruner.prune_model();
  EXPECT_EQ(pruner.plan().cuts.at(0).kept, (Extents{left[0], left[2]}));
}

struct HardCodedImpl : torch::nn::Module {
  HardCodedImpl() : conv(torch::nn::Conv2dOptions(3, 16, 3)), fc(16 * 36, 10) {
    register_module("conv", conv);
    register_module("fc", fc);
  }
  at::Tensor forward(at::Tensor x) { return fc(torch::relu(conv(x)).view({-1, 576})); }
  torch::nn::Conv2d conv;
  torch::nn::Linear fc;
};
TORCH_MODULE(HardCoded);

TEST(Pruner, SaysWhereTheCodeCountsOnAWidth) {
  HardCoded model;
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  model->forward(at::ones({2, 3, 8, 8})).sum().backward();
  optimizer.step();
  const auto before = copies(*model);
  const at::Tensor gradient = model->conv->weight.grad().clone();
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 3, 8, 8})}, .optimizer = &optimizer});
  const std::string text = message([&] { pruner.prune_model(); });
  EXPECT_NE(text.find("does not go along"), std::string::npos) << text;
  EXPECT_NE(text.find("576 becomes"), std::string::npos) << text;
  EXPECT_NE(text.find("288"), std::string::npos) << text;
  expect_same(copies(*model), before);
  EXPECT_TRUE(at::equal(model->conv->weight.grad(), gradient));
  EXPECT_EQ(model->conv->options.out_channels(), 16);
  EXPECT_EQ(state_of<torch::optim::SGDParamState>(optimizer, model->conv->weight).momentum_buffer().size(0), 16);
  EXPECT_TRUE(model->is_training());
}

TEST(Pruner, RefusesBadInputAndLeavesTheModule) {
  ResNet18 model;
  const auto before = copies(*model);
  EXPECT_NE(message([&] {
              Pruner(model, {.pruning_ratio = 30, .example_inputs = {at::ones({1, 4, 64, 64})}});
            }),
            "no error");
  EXPECT_NE(message([&] {
              Pruner(model, {.pruning_ratio = 30, .example_inputs = {at::ones({1, 3, 64, 64}, at::kInt)}});
            }),
            "no error");
  EXPECT_NE(message([&] {
              Pruner(model, {.pruning_ratio = {{"layer9", 30}}, .example_inputs = {example()}});
            }).find("layer9"),
            std::string::npos);
  EXPECT_NE(message([&] { Pruner(model, {.pruning_ratio = 130, .example_inputs = {example()}}); }), "no error");
  EXPECT_NE(message([&] {
              model->conv1->weight.detach().view(-1)[0] = NAN;
              Pruner(model, {.pruning_ratio = 30, .example_inputs = {example()}}).prune_model();
            }).find("conv1.weight"),
            std::string::npos);
  const at::NoGradGuard guard;
  model->conv1->weight.view(-1)[0] = before[0].view(-1)[0];
  expect_same(copies(*model), before);
  EXPECT_TRUE(model->is_training());
}

struct TwiceImpl : torch::nn::Module {
  TwiceImpl() : first(4, 8), shared(8, 8), last(8, 2) {
    register_module("first", first);
    register_module("shared", shared);
    register_module("again", shared);
    register_module("last", last);
  }
  at::Tensor forward(at::Tensor x) { return last(shared(torch::relu(shared(torch::relu(first(x)))))); }
  torch::nn::Linear first, shared, last;
};
TORCH_MODULE(Twice);

TEST(Pruner, ModulesThatShareASubmoduleStayTied) {
  Twice model;
  Pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 4})}}).prune_model();
  // What comes out of the shared layer goes into it again: one group of units.
  EXPECT_EQ(model->shared->weight.sizes(), (Extents{4, 4}));
  EXPECT_EQ(model->shared->options.in_features(), 4);
  EXPECT_EQ(model->forward(at::ones({3, 4})).sizes(), (Extents{3, 2}));
}

TEST(Pruner, CutsAGraphModule) {
  GraphModule module(zoo::build("resnet18", 0, {.image_side = 64}));
  Pruner pruner(module, {.pruning_ratio = 30});
  pruner.prune_model();
  std::int64_t count = 0;
  for (const at::Tensor& tensor : module.parameters()) count += tensor.numel();
  EXPECT_EQ(count, 5820556);
  EXPECT_EQ(module.forward(at::randn({2, 3, 64, 64})).sizes(), (Extents{2, 1000}));

  // The same plan on the file that the module came from, and on another module.
  const pruning::PruneResult file =
      pruning::prune(zoo::build("resnet18", 0, {.image_side = 64}), {.plan = pruner.plan()});
  GraphModule pruned(file.model);
  const at::Tensor x = at::randn({1, 3, 64, 64});
  EXPECT_TRUE(at::allclose(pruned.forward(x), module.forward(x), 1e-5, 1e-6));
  GraphModule replayed(zoo::build("resnet18", 0, {.image_side = 64}));
  Pruner(replayed, {.plan = pruner.plan()}).prune_model();
  EXPECT_TRUE(at::equal(replayed.forward(x), module.forward(x)));
}

TEST(Pruner, LooksAtGradients) {
  torch::manual_seed(3);
  torch::nn::Sequential model(torch::nn::Linear(2, 3), torch::nn::Linear(3, 1));
  {
    const at::NoGradGuard guard;
    const auto p = model->parameters();
    p[0].copy_(at::tensor({1.0f, 0.0f, 0.0f, 1.0f, 5.0f, 5.0f}).view({3, 2}));
    p[1].zero_();
    p[2].copy_(at::tensor({2.0f, 3.0f, 0.0f}).view({1, 3}));  // the third unit reaches nothing
    p[3].zero_();
  }
  const std::vector<Batch> batches{{{at::ones({4, 2})}, at::ones({4, 1})}};
  const Calibration calibration{batches, mse()};
  for (const Criterion& criterion : {Criterion(taylor), Criterion(hessian), Criterion(coppice::gradient)}) {
    torch::nn::Sequential copy(torch::nn::Linear(2, 3), torch::nn::Linear(3, 1));
    const at::NoGradGuard guard;
    for (std::size_t i = 0; i < 4; ++i) copy->parameters()[i].copy_(model->parameters()[i]);
    Pruner pruner(copy, {.pruning_ratio = 33,
                         .criterion = criterion,
                         .calibration = calibration,
                         .example_inputs = {at::ones({1, 2})}});
    pruner.prune_model();
    // With d = dL/dy, the rows' |g| sum up to 2d w2 = 4d, 6d, 0, the columns' |g| are d h = d, d, 10d:
    // means 2.5, 3.5, 5. |w g| is 2d, 3d, 0 in both.
    const Extents expected = criterion.name() == "gradient" ? Extents{1, 2} : Extents{0, 1};
    EXPECT_EQ(pruner.plan().cuts.at(0).kept, expected) << criterion.name();
    EXPECT_FALSE(copy->parameters()[0].grad().defined());
  }
  EXPECT_NE(message([&] {
              Pruner(model, {.pruning_ratio = 33, .criterion = taylor, .example_inputs = {at::ones({1, 2})}});
            }).find("calibration.data"),
            std::string::npos);
  model->parameters()[0].requires_grad_(false);
  EXPECT_NE(message([&] {
              Pruner(model, {.pruning_ratio = 33,
                             .criterion = taylor,
                             .calibration = calibration,
                             .example_inputs = {at::ones({1, 2})}})
                  .prune_model();
            }).find("0.weight"),
            std::string::npos);
}

TEST(Pruner, ComparesWithEarlierWeights) {
  torch::nn::Sequential model(torch::nn::Linear(2, 4), torch::nn::ReLU(), torch::nn::Linear(4, 1));
  Pruner pruner(
      model, {.pruning_ratio = 50, .criterion = movement, .example_inputs = {at::ones({1, 2})}, .iterative_steps = 2});
  const auto p = model->parameters();
  {
    const at::NoGradGuard guard;  // row 2 stays where it was, row 0 hardly moves
    p[0][0] += 0.1;
    p[0][1] += 1;
    p[0][3] += 1;
  }
  pruner.prune_model();
  EXPECT_EQ(pruner.plan().cuts.at(0).kept, (Extents{0, 1, 3}));
  pruner.prune_model();
  EXPECT_EQ(pruner.plan().cuts.at(0).kept, (Extents{1, 3}));
}

TEST(Pruner, ReplaysAPlanOnAModule) {
  ResNet18 model, other;
  Pruner pruner(model, {.pruning_ratio = 30, .example_inputs = {example()}});
  pruner.prune_model();
  Pruner replay(other, {.example_inputs = {example()}, .plan = pruner.plan()});
  replay.prune_model();
  EXPECT_TRUE(replay.done());
  EXPECT_EQ(parameters(*other), 5820556);
  EXPECT_EQ(to_json(replay.plan()), to_json(pruner.plan()));
}

TEST(Pruner, ItsPlanReplaysOnTheExportedFile) {
  const test::Scratch scratch;
  ResNet18 model;
  export_onnx(model, {example()}, scratch / "model.onnx");
  Pruner pruner(model, {.pruning_ratio = 30, .example_inputs = {example()}});
  pruner.prune_model();
  const pruning::PruneResult file = pruning::prune(formats::read_onnx(scratch / "model.onnx"), {.plan = pruner.plan()});
  EXPECT_EQ(file.report.after.parameters, 5820556);
  model->eval();
  GraphModule pruned(file.model);
  const at::NoGradGuard guard;
  const at::Tensor x = at::randn({1, 3, 64, 64}), expected = model->forward(x);
  EXPECT_LT((pruned.forward(x) - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());
}

struct ElsewhereImpl : torch::nn::Module {
  ElsewhereImpl() : near(2, 3) {
    register_module("near", near);
    register_parameter("far", at::empty({3}, at::TensorOptions(at::kMeta)));
  }
  at::Tensor forward(at::Tensor x) { return near(x); }
  torch::nn::Linear near;
};
TORCH_MODULE(Elsewhere);

TEST(Pruner, ParametersOnTwoDevicesAreNamed) {
  Elsewhere model;
  EXPECT_EQ(message([&] {
              Pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 2})}});
            }),
            "parameters: expected one device, found \"far\" on meta and \"near.weight\" on cpu");
}

}  // namespace
}  // namespace coppice
