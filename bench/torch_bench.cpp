// What the room torch costs beside the network itself, each pair measured in turns in one run:
//   forward + backward of a GraphModule against the same network in plain torch::nn, and its forward alone
//   tracing a ResNet-50 against its forward pass
//   an in-place cut of a ResNet-50 against its forward pass
// torch_bench [SECONDS]: medians and ratios.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/torch/trace.hpp"

#include "../examples/resnet18.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct BottleneckImpl : torch::nn::Module {
  BottleneckImpl(int in, int width, int stride)
      : conv1(torch::nn::Conv2dOptions(in, width, 1).bias(false)),
        bn1(width),
        conv2(torch::nn::Conv2dOptions(width, width, 3).stride(stride).padding(1).bias(false)),
        bn2(width),
        conv3(torch::nn::Conv2dOptions(width, 4 * width, 1).bias(false)),
        bn3(4 * width) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("bn2", bn2);
    register_module("conv3", conv3);
    register_module("bn3", bn3);
    if (stride == 1 && in == 4 * width) return;
    downsample = register_module(
        "downsample",
        torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, 4 * width, 1).stride(stride).bias(false)),
                              torch::nn::BatchNorm2d(4 * width)));
  }
  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor y = torch::relu(bn1(conv1(x)));
    y = torch::relu(bn2(conv2(y)));
    return torch::relu(bn3(conv3(y)) + (downsample.is_empty() ? x : downsample->forward(x)));
  }
  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Conv2d conv3;
  torch::nn::BatchNorm2d bn3;
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(Bottleneck);

struct ResNet50Impl : torch::nn::Module {
  ResNet50Impl() : conv1(torch::nn::Conv2dOptions(3, 64, 7).stride(2).padding(3).bias(false)), bn1(64), fc(2048, 1000) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("layers", layers);
    int in = 64;
    const int depths[]{3, 4, 6, 3};
    for (int stage = 0; stage < 4; ++stage)
      for (int block = 0; block < depths[stage]; ++block) {
        const int width = 64 << stage;
        layers->push_back(Bottleneck(in, width, block == 0 && stage > 0 ? 2 : 1));
        in = 4 * width;
      }
    register_module("fc", fc);
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::max_pool2d(torch::relu(bn1(conv1(x))), 3, 2, 1);
    return fc(torch::flatten(torch::adaptive_avg_pool2d(layers->forward(x), {1, 1}), 1));
  }
  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Sequential layers;
  torch::nn::Linear fc;
};
TORCH_MODULE(ResNet50);

double seconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// Both in turns, so that whatever slows the machine slows them alike.
void compare(const std::string& what, double seconds, const std::function<void()>& base,
             const std::function<double()>& other) {
  base();
  other();
  std::vector<double> a, b;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end || a.size() < 5) {
    a.push_back(seconds_of(base));
    b.push_back(other());
  }
  std::printf("%-52s %9.2f ms %9.2f ms %7.3f\n", what.c_str(), 1e3 * median(a), 1e3 * median(b), median(b) / median(a));
}

template <class Network>
void executor(const std::string& name, double seconds, Network network, const at::Tensor& x) {
  coppice::GraphModule module(coppice::trace(network, {x}));
  network->train();
  module.train();
  const auto step = [&](torch::nn::Module& owner, const at::Tensor& y) {
    y.square().mean().backward();
    owner.zero_grad();
  };
  compare(
      name + " forward + backward: torch::nn, GraphModule", seconds, [&] { step(*network, network->forward(x)); },
      [&] { return seconds_of([&] { step(module, module.forward(x)); }); });
  network->eval();
  module.eval();
  const at::NoGradGuard guard;
  compare(
      name + " forward: torch::nn, GraphModule", seconds, [&] { network->forward(x); },
      [&] { return seconds_of([&] { module.forward(x); }); });
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  torch::manual_seed(0);
  std::printf("%-52s %12s %12s %7s\n", "", "first", "second", "ratio");
  executor("ResNet-18, batch 4:", seconds, ResNet18(), torch::randn({4, 3, 224, 224}));
  executor("MLP, batch 64:", seconds,
           torch::nn::Sequential(torch::nn::Linear(784, 300), torch::nn::ReLU(), torch::nn::Linear(300, 100),
                                 torch::nn::ReLU(), torch::nn::Linear(100, 10)),
           torch::randn({64, 784}));
  const at::Tensor x = torch::randn({1, 3, 224, 224});
  ResNet50 network;
  network->eval();
  const auto forward = [&] {
    const at::NoGradGuard guard;
    network->forward(x);
  };
  compare("ResNet-50: forward, trace", seconds, forward,
          [&] { return seconds_of([&] { coppice::trace(network, {x}); }); });
  compare("ResNet-50: forward, in-place cut (forward included)", seconds, forward, [&] {
    ResNet50 fresh;
    coppice::PrunerOptions options{.pruning_ratio = 50};
    options.example_inputs = {x};
    coppice::Pruner pruner(fresh, options);
    return seconds_of([&] { pruner.prune_model(); });
  });
}
