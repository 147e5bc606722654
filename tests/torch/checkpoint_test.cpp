#include "coppice/torch/checkpoint.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/pruner.hpp"

#include "../../examples/resnet18.hpp"
#include "support/scratch.hpp"

namespace coppice {
namespace {

TEST(Checkpoint, APrunedModuleComesBackIntoAFreshOne) {
  const test::Scratch scratch;
  ResNet18 model;
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 3, 64, 64})}});
  pruner.prune_model();
  save(model, scratch / "pruned.pt", pruner.plan());
  ResNet18 fresh;
  const auto plan = load(fresh, scratch / "pruned.pt");
  ASSERT_TRUE(plan);
  EXPECT_EQ(to_json(*plan), to_json(pruner.plan()));
  EXPECT_EQ(parameters(*fresh), 3055880);
  EXPECT_EQ(fresh->conv1->options.out_channels(), 32);
  EXPECT_EQ(fresh->fc->options.in_features(), 256);
  model->eval();
  fresh->eval();
  const at::Tensor x = at::randn({1, 3, 64, 64});
  EXPECT_TRUE(at::equal(model->forward(x), fresh->forward(x)));
}

TEST(Checkpoint, GroupsOfConvolutionsComeBack) {
  const test::Scratch scratch;
  const auto make = [] {
    return torch::nn::Sequential(torch::nn::Conv2d(3, 8, 1),
                                 torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 8, 3).groups(8)),
                                 torch::nn::Conv2d(8, 2, 1));
  };
  torch::nn::Sequential model = make(), fresh = make();
  Pruner(model, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 3, 8, 8})}}).prune_model();
  EXPECT_EQ(model->ptr<torch::nn::Conv2dImpl>(1)->options.groups(), 4);
  save(model, scratch / "m.pt");
  EXPECT_FALSE(load(fresh, scratch / "m.pt"));
  EXPECT_EQ(fresh->ptr<torch::nn::Conv2dImpl>(1)->options.groups(), 4);
  const at::Tensor x = at::randn({1, 3, 8, 8});
  EXPECT_TRUE(at::equal(model->forward(x), fresh->forward(x)));
}

TEST(Checkpoint, RefusesWhatDoesNotFit) {
  const test::Scratch scratch;
  torch::nn::Sequential small(torch::nn::Linear(4, 6), torch::nn::ReLU(), torch::nn::Linear(6, 2));
  Pruner pruner(small, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 4})}});
  pruner.prune_model();
  save(small, scratch / "small.pt", pruner.plan());
  torch::nn::Sequential other(torch::nn::Linear(4, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2));
  const at::Tensor before = other->parameters()[0].detach().clone();
  const auto message = [&](const std::string& file) {
    try {
      load(other, scratch / file);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message("small.pt").find("expected length 6, found 8"), std::string::npos) << message("small.pt");
  EXPECT_NE(message("missing.pt"), "no error");
  std::ofstream(scratch / "noise.pt") << "not an archive";
  EXPECT_NE(message("noise.pt").find("noise.pt"), std::string::npos);
  EXPECT_TRUE(at::equal(other->parameters()[0].detach(), before));
  EXPECT_EQ(other->ptr<torch::nn::LinearImpl>(0)->options.out_features(), 8);
}

}  // namespace
}  // namespace coppice
