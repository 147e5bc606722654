#include "coppice/torch/callable.hpp"

#include <gtest/gtest.h>
#include <torch/nn.h>

#include "coppice/torch/graph_module.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice {
namespace {

struct SumImpl : torch::nn::Module {
  at::Tensor forward(const at::Tensor& a, const at::Tensor& b = {}, std::optional<at::Tensor> c = {}) {
    at::Tensor out = a;
    if (b.defined()) out = out + b;
    return c ? out + *c : out;
  }
};
TORCH_MODULE(Sum);

struct NestedImpl : torch::nn::Module {
  std::tuple<at::Tensor, std::pair<at::Tensor, std::vector<at::Tensor>>> forward(std::vector<at::Tensor> x) {
    return {x[0], {x[1], {x[0] + x[1], x[0] - x[1]}}};
  }
};

double number(const at::Tensor& tensor) {
  return tensor.item<double>();
}

TEST(Callable, TakesAsManyTensorsAsThereAre) {
  const Callable sum{Sum()};
  const std::vector<at::Tensor> ones(3, at::ones({}));
  EXPECT_EQ(number(sum({ones[0]}).at(0)), 1);
  EXPECT_EQ(number(sum({ones[0], ones[1]}).at(0)), 2);
  EXPECT_EQ(number(sum(ones).at(0)), 3);
  EXPECT_THROW(sum({}), Error);
  EXPECT_THROW(sum({ones[0], ones[0], ones[0], ones[0]}), Error);
}

TEST(Callable, FlattensResultsInOrder) {
  const Callable nested(std::make_shared<NestedImpl>());
  const auto out = nested({at::full({}, 5), at::full({}, 3)});
  ASSERT_EQ(out.size(), 4U);
  EXPECT_EQ(number(out[0]), 5);
  EXPECT_EQ(number(out[1]), 3);
  EXPECT_EQ(number(out[2]), 8);
  EXPECT_EQ(number(out[3]), 2);

  const auto states = Callable(torch::nn::LSTM(4, 3))({at::randn({2, 1, 4})});
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].sizes(), (std::vector<std::int64_t>{2, 1, 3}));
  EXPECT_EQ(states[2].sizes(), (std::vector<std::int64_t>{1, 1, 3}));
}

TEST(Callable, HoldsModulesOfAnyKind) {
  const at::Tensor x = at::randn({2, 4});
  torch::nn::Linear linear(4, 3);
  const at::Tensor expected = linear->forward(x);
  torch::nn::Sequential sequential(linear, torch::nn::ReLU());
  EXPECT_TRUE(Callable(sequential)({x}).at(0).equal(at::relu(expected)));
  EXPECT_TRUE(Callable(torch::nn::AnyModule(linear))({x}).at(0).equal(expected));
  EXPECT_TRUE(Callable(*linear)({x}).at(0).equal(expected));
  EXPECT_EQ(Callable(*linear).owner(), linear.ptr());
  EXPECT_EQ(&Callable(linear).module(), linear.get());

  torch::nn::LinearImpl on_the_stack(4, 3);
  EXPECT_EQ(Callable(on_the_stack).owner(), nullptr);
  const Callable twice(linear, [linear](const std::vector<at::Tensor>& in) mutable {
    return std::vector<at::Tensor>{linear->forward(in[0]) * 2};
  });
  EXPECT_TRUE(twice({x}).at(0).equal(expected * 2));

  GraphModule graph(zoo::build("resnet18", 0, {.image_side = 32}));
  EXPECT_EQ(Callable(graph)({at::randn({1, 3, 32, 32})}).at(0).size(1), 1000);
}

TEST(Callable, RefusesAnEmptyHolder) {
  EXPECT_THROW(Callable(std::shared_ptr<SumImpl>()), Error);
}

}  // namespace
}  // namespace coppice
