#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <torch/nn/functional.h>

#include "coppice/torch/graph_module.hpp"
#include "coppice/zoo/zoo.hpp"

/// The executor against the same network in plain torch::nn: outputs, every parameter's gradient, and running
/// statistics, in evaluation and in training mode.
namespace coppice::plain {

namespace F = torch::nn::functional;
using at::Tensor;

/// A copy of a network's constants, by name, and the layers that read them.
class Plain {
 public:
  Plain(const GraphModule& module, bool train) : train_(train) {
    for (const auto& [name, tensor] : module.constants()) {
      Tensor copy = tensor.detach().clone();
      all_.emplace(name, copy.requires_grad_(tensor.requires_grad()));
    }
  }

  const std::map<std::string, Tensor>& all() const { return all_; }
  Tensor operator[](const std::string& name) const {
    const auto it = all_.find(name);
    return it == all_.end() ? Tensor() : it->second;
  }
  Tensor conv(const Tensor& x, const std::string& path, std::int64_t stride = 1, std::int64_t groups = 1) const {
    const Tensor weight = (*this)[path + ".weight"];
    return F::conv2d(x, weight,
                     F::Conv2dFuncOptions()
                         .bias((*this)[path + ".bias"])
                         .stride(stride)
                         .padding((weight.size(2) - 1) / 2)
                         .groups(groups));
  }
  Tensor norm(const Tensor& x, const std::string& path) const {
    return F::batch_norm(x, (*this)[path + ".running_mean"], (*this)[path + ".running_var"],
                         F::BatchNormFuncOptions()
                             .weight((*this)[path + ".weight"])
                             .bias((*this)[path + ".bias"])
                             .training(train_)
                             .momentum(0.1));
  }
  Tensor layer_norm(const Tensor& x, const std::string& path, double epsilon) const {
    const Tensor weight = (*this)[path + ".weight"];
    return F::layer_norm(
        x, F::LayerNormFuncOptions({weight.size(0)}).weight(weight).bias((*this)[path + ".bias"]).eps(epsilon));
  }
  Tensor linear(const Tensor& x, const std::string& path) const {
    return F::linear(x, (*this)[path + ".weight"], (*this)[path + ".bias"]);
  }
  /// Global pool, and one linear layer.
  Tensor classify(const Tensor& x, const std::string& path) const {
    return linear(F::adaptive_avg_pool2d(x, F::AdaptiveAvgPool2dFuncOptions(1)).flatten(1), path);
  }

 private:
  std::map<std::string, Tensor> all_;
  bool train_;
};

inline double relative(const Tensor& found, const Tensor& expected) {
  const double scale = at::abs(expected).max().item().toDouble();
  return at::abs(found - expected).max().item().toDouble() / std::max(scale, 1e-30);
}

using Network = std::function<Tensor(const Plain&, const Tensor& x)>;

/// The largest gradient, in size.
inline double steepest(const std::map<std::string, Tensor>& parameters) {
  double out = 0;
  for (const auto& [name, tensor] : parameters)
    if (tensor.grad().defined()) out = std::max(out, at::abs(tensor.grad()).max().item().toDouble());
  return out;
}

/// In double precision where fp32's rounding would hide what is compared. There a gradient that is zero by algebra and
/// rounding by arithmetic (below 1e-12 of the largest) must be that small on both sides.
inline void compare(const graph::Model& model, const Tensor& x, const Network& network,
                    at::ScalarType type = at::kFloat) {
  for (const bool train : {false, true}) {
    GraphModule module(model);
    module.to(type);
    module.train(train);
    const Plain plain(module, train);
    const Tensor found = module.forward(x), expected = network(plain, x);
    ASSERT_EQ(found.sizes(), expected.sizes());
    ASSERT_EQ(found.scalar_type(), type);
    EXPECT_GT(at::std(expected).item().toDouble(), 1e-3) << "a dead output shows nothing";
    EXPECT_LT(relative(found, expected), 1e-5) << "output, training: " << train;
    const Tensor pull = at::randn_like(expected);
    (found * pull).sum().backward();
    (expected * pull).sum().backward();
    const double zero = type == at::kDouble ? 1e-12 * steepest(plain.all()) : 0;
    std::size_t gradients = 0;
    for (const auto& [name, tensor] : module.constants()) {
      if (!tensor.requires_grad()) {
        EXPECT_LT(relative(tensor, plain[name]), 1e-5) << name << ", training: " << train;
        continue;
      }
      ASSERT_TRUE(tensor.grad().defined() && plain[name].grad().defined()) << name;
      const double size = at::abs(plain[name].grad()).max().item().toDouble();
      if (size < zero) {
        EXPECT_LT(at::abs(tensor.grad()).max().item().toDouble(), zero) << name << ", training: " << train;
      } else {
        EXPECT_GT(size, 0) << name << ": a dead gradient shows nothing";
        EXPECT_LT(relative(tensor.grad(), plain[name].grad()), 1e-5) << name << ", training: " << train;
        ++gradients;
      }
    }
    EXPECT_GT(gradients, 4U);
  }
}

inline void compare_images(const char* name, const Network& network, std::int64_t side = 64,
                           at::ScalarType type = at::kFloat) {
  at::manual_seed(1);
  compare(zoo::build(name, 1, {.image_side = side, .lively = true}),
          at::randn({3, 3, side, side}, at::TensorOptions().dtype(type)), network, type);
}

inline std::string path_of(const std::string& before, int number) {
  return before + "." + std::to_string(number);
}

}  // namespace coppice::plain
