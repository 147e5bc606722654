#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>
#include <torch/nn.h>

#include "coppice/torch/graph_module.hpp"
#include "coppice/zoo/zoo.hpp"

// The executor against the same networks in plain torch::nn: outputs, every parameter's gradient, and running
// statistics, in evaluation and in training mode.
namespace coppice {
namespace {

namespace F = torch::nn::functional;
using at::Tensor;

// A copy of a network's constants, by name, and the layers that read them.
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
  // Global pool, and one linear layer.
  Tensor classify(const Tensor& x, const std::string& path) const {
    return linear(F::adaptive_avg_pool2d(x, F::AdaptiveAvgPool2dFuncOptions(1)).flatten(1), path);
  }

 private:
  std::map<std::string, Tensor> all_;
  bool train_;
};

double relative(const Tensor& found, const Tensor& expected) {
  const double scale = at::abs(expected).max().item().toDouble();
  return at::abs(found - expected).max().item().toDouble() / std::max(scale, 1e-30);
}

using Network = std::function<Tensor(const Plain&, const Tensor& x)>;

void compare(const graph::Model& model, const Tensor& x, const Network& network) {
  for (const bool train : {false, true}) {
    GraphModule module(model);
    module.train(train);
    const Plain plain(module, train);
    const Tensor found = module.forward(x), expected = network(plain, x);
    ASSERT_EQ(found.sizes(), expected.sizes());
    EXPECT_GT(at::std(expected).item().toDouble(), 1e-3) << "a dead output shows nothing";
    EXPECT_LT(relative(found, expected), 1e-5) << "output, training: " << train;
    const Tensor pull = at::randn_like(expected);
    (found * pull).sum().backward();
    (expected * pull).sum().backward();
    std::size_t gradients = 0;
    for (const auto& [name, tensor] : module.constants()) {
      if (!tensor.requires_grad()) {
        EXPECT_LT(relative(tensor, plain[name]), 1e-5) << name << ", training: " << train;
        continue;
      }
      ASSERT_TRUE(tensor.grad().defined() && plain[name].grad().defined()) << name;
      EXPECT_LT(relative(tensor.grad(), plain[name].grad()), 1e-5) << name << ", training: " << train;
      ++gradients;
    }
    EXPECT_GT(gradients, 4U);
  }
}

void compare_images(const char* name, const Network& network, std::int64_t side = 64) {
  at::manual_seed(1);
  compare(zoo::build(name, 1, {.image_side = side, .lively = true}), at::randn({3, 3, side, side}), network);
}

std::string path_of(const std::string& before, int number) {
  return before + "." + std::to_string(number);
}

TEST(Gradients, OfAPerceptron) {
  at::manual_seed(1);
  compare(zoo::build("mlp"), at::randn({4, 784}), [](const Plain& p, const Tensor& x) {
    return p.linear(at::relu(p.linear(at::relu(p.linear(x, "fc1")), "fc2")), "fc3");
  });
}

Network resnet(std::vector<int> blocks, std::int64_t groups) {
  return [=](const Plain& p, const Tensor& image) {
    Tensor x = at::relu(p.norm(p.conv(image, "conv1", 2), "bn1"));
    x = F::max_pool2d(x, F::MaxPool2dFuncOptions(3).stride(2).padding(1));
    for (int stage = 0; stage < 4; ++stage) {
      for (int i = 0; i < blocks[static_cast<std::size_t>(stage)]; ++i) {
        const std::string path = path_of(path_of("layer", stage + 1).erase(5, 1), i);
        const std::int64_t stride = i == 0 && stage > 0 ? 2 : 1;
        const bool three = p[path + ".conv3.weight"].defined();
        Tensor y = at::relu(p.norm(p.conv(x, path + ".conv1", three ? 1 : stride), path + ".bn1"));
        y = p.norm(p.conv(y, path + ".conv2", three ? stride : 1, groups), path + ".bn2");
        if (three) y = p.norm(p.conv(at::relu(y), path + ".conv3"), path + ".bn3");
        if (p[path + ".downsample.0.weight"].defined())
          x = p.norm(p.conv(x, path + ".downsample.0", stride), path + ".downsample.1");
        x = at::relu(y + x);
      }
    }
    return p.classify(x, "fc");
  };
}

TEST(Gradients, OfResidualBlocks) {
  compare_images("resnet18", resnet({2, 2, 2, 2}, 1));
}

TEST(Gradients, OfGroupedBottlenecks) {
  compare_images("resnext50_32x4d", resnet({3, 4, 6, 3}, 32));
}

TEST(Gradients, OfAPlainStack) {
  compare_images("vgg11_bn", [](const Plain& p, const Tensor& image) {
    Tensor x = image;
    int index = 0;
    for (const int convolutions : {1, 1, 2, 2, 2}) {
      for (int i = 0; i < convolutions; ++i, index += 3)
        x = at::relu(p.norm(p.conv(x, path_of("features", index)), path_of("features", index + 1)));
      x = F::max_pool2d(x, F::MaxPool2dFuncOptions(2).stride(2));
      ++index;
    }
    x = at::relu(p.linear(x.flatten(1), "classifier.0"));
    return p.linear(at::relu(p.linear(x, "classifier.3")), "classifier.6");
  });
}

TEST(Gradients, OfInvertedResiduals) {
  compare_images("mobilenet_v2", [](const Plain& p, const Tensor& image) {
    const auto unit = [&](const Tensor& x, const std::string& path, std::int64_t stride, bool depthwise) {
      return F::relu6(p.norm(p.conv(x, path + ".0", stride, depthwise ? x.size(1) : 1), path + ".1"));
    };
    Tensor x = unit(image, "features.0", 2, false);
    for (int i = 1; i < 18; ++i) {
      const std::string path = path_of("features", i) + ".conv";
      const std::int64_t stride = i == 2 || i == 4 || i == 7 || i == 14 ? 2 : 1;
      const int last = i == 1 ? 1 : 2;
      Tensor y = i == 1 ? x : unit(x, path + ".0", 1, false);
      y = unit(y, path_of(path, last - 1), stride, true);
      y = p.norm(p.conv(y, path_of(path, last)), path_of(path, last + 1));
      x = stride == 1 && x.size(1) == y.size(1) ? x + y : y;
    }
    return p.classify(unit(x, "features.18", 1, false), "classifier.1");
  });
}

TEST(Gradients, OfDenseBlocks) {
  compare_images("densenet121", [](const Plain& p, const Tensor& image) {
    const auto unit = [&](const Tensor& x, const std::string& path, const std::string& number) {
      return p.conv(at::relu(p.norm(x, path + ".norm" + number)), path + ".conv" + number);
    };
    Tensor x = at::relu(p.norm(p.conv(image, "features.conv0", 2), "features.norm0"));
    x = F::max_pool2d(x, F::MaxPool2dFuncOptions(3).stride(2).padding(1));
    int stage = 1;
    for (const int layers : {6, 12, 24, 16}) {
      for (int i = 1; i <= layers; ++i) {
        const std::string path = "features.denseblock" + std::to_string(stage) + ".denselayer" + std::to_string(i);
        x = at::cat({x, unit(unit(x, path, "1"), path, "2")}, 1);
      }
      if (stage < 4)
        x = F::avg_pool2d(unit(x, "features.transition" + std::to_string(stage), ""), F::AvgPool2dFuncOptions(2));
      ++stage;
    }
    return p.classify(at::relu(p.norm(x, "features.norm5")), "classifier");
  });
}

// Two of its twelve layers: the others are the same, and take memory.
graph::Model short_vision_transformer() {
  graph::Model model = zoo::build("vit_b_16", 1, {.image_side = 64, .lively = true});
  const std::string layers = "encoder.layers.encoder_layer_";
  const auto gone = [&](std::string_view name) {
    return name.substr(0, layers.size()) == layers && name.substr(layers.size(), 2) != "0." &&
           name.substr(layers.size(), 2) != "1." && name.substr(layers.size(), 2) != "0/" &&
           name.substr(layers.size(), 2) != "1/";
  };
  graph::Graph& graph = model.graph;
  const graph::ValueId end = graph.find(layers + "11.add2"), cut = graph.find(layers + "1.add2");
  std::erase_if(graph.nodes, [&](const graph::Node& node) { return gone(node.name); });
  std::erase_if(graph.initializers, [&](const auto& one) { return gone(graph.name_of(one.value)); });
  for (graph::Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), end, cut);
  graph.reindex();
  return model;
}

TEST(Gradients, OfTransformerLayers) {
  at::manual_seed(1);
  compare(short_vision_transformer(), at::randn({3, 3, 64, 64}), [](const Plain& p, const Tensor& image) {
    Tensor x = F::conv2d(image, p["conv_proj.weight"], F::Conv2dFuncOptions().bias(p["conv_proj.bias"]).stride(16));
    x = x.flatten(2).transpose(1, 2);
    x = at::cat({p["class_token"].expand({x.size(0), 1, x.size(2)}), x}, 1) + p["encoder.pos_embedding"];
    for (int i = 0; i < 2; ++i) {
      const std::string path = "encoder.layers.encoder_layer_" + std::to_string(i), own = path + ".self_attention";
      const Tensor rows = p.layer_norm(x, path + ".ln_1", 1e-6).transpose(0, 1);
      const auto options =
          F::MultiheadAttentionForwardFuncOptions(768, 12, p[own + ".in_proj_weight"], p[own + ".in_proj_bias"], {}, {},
                                                  false, 0, p[own + ".out_proj.weight"], p[own + ".out_proj.bias"]);
      x = x + std::get<0>(F::multi_head_attention_forward(rows, rows, rows, options)).transpose(0, 1);
      const Tensor hidden = F::gelu(p.linear(p.layer_norm(x, path + ".ln_2", 1e-6), path + ".mlp.0"));
      x = x + p.linear(hidden, path + ".mlp.3");
    }
    return p.linear(p.layer_norm(x, "encoder.ln", 1e-6).select(1, 0), "heads.head");
  });
}

// ONNX's order of gates (input, output, forget, cell) in torch's (input, forget, cell, output).
Tensor regated(const Tensor& rows) {
  const auto parts = rows.chunk(4, 0);
  return at::cat({parts[0], parts[2], parts[3], parts[1]});
}

TEST(Gradients, OfRecurrentLayers) {
  at::manual_seed(1);
  const Tensor words = at::randint(0, 10000, {3, 7}, at::kLong);
  compare(zoo::build("lstm_tagger", 1), words, [](const Plain& p, const Tensor& tokens) {
    Tensor x = F::embedding(tokens, p["embedding.weight"]);
    for (int layer = 0; layer < 2; ++layer) {
      const std::string path = path_of("lstm", layer);
      std::vector<Tensor> weights;
      for (int d = 0; d < 2; ++d) {
        const auto biases = p[path + ".B"][d].chunk(2, 0);
        for (const Tensor& rows : {p[path + ".W"][d], p[path + ".R"][d], biases[0], biases[1]})
          weights.push_back(regated(rows));
      }
      const Tensor state = at::zeros({2, x.size(0), 128});
      x = std::get<0>(at::lstm(x, {state, state}, weights, true, 1, 0, false, true, true));
    }
    return p.linear(x, "head");
  });
}

}  // namespace
}  // namespace coppice
