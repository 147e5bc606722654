#pragma once
#include <string>

#include <torch/nn.h>

namespace coppice {

/// A residual block as a user of libtorch writes it.
struct BasicBlockImpl : torch::nn::Module {
  BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv1(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)),
        bn1(out),
        conv2(torch::nn::Conv2dOptions(out, out, 3).padding(1).bias(false)),
        bn2(out) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("bn2", bn2);
    if (stride == 1 && in == out) return;
    downsample =
        torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1).stride(stride).bias(false)),
                              torch::nn::BatchNorm2d(out));
    register_module("downsample", downsample);
  }
  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = bn1(conv1(x)).relu_();
    y = bn2(conv2(y));
    y += downsample.is_empty() ? x : downsample->forward(x);
    return at::relu(y);
  }
  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(BasicBlock);

/// torchvision's ResNet-18, with its names.
struct ResNet18Impl : torch::nn::Module {
  explicit ResNet18Impl(std::int64_t classes) {
    conv1 = register_module("conv1",
                            torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 64, 7).stride(2).padding(3).bias(false)));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(64));
    std::int64_t in = 64, index = 1;
    for (const std::int64_t width : {64, 128, 256, 512}) {
      torch::nn::Sequential layer(BasicBlock(in, width, width == 64 ? 1 : 2), BasicBlock(width, width, 1));
      layers.push_back(register_module("layer" + std::to_string(index++), layer));
      in = width;
    }
    fc = register_module("fc", torch::nn::Linear(512, classes));
  }
  at::Tensor forward(at::Tensor x) {
    x = at::max_pool2d(at::relu(bn1(conv1(x))), 3, 2, 1);
    for (torch::nn::Sequential& layer : layers) x = layer->forward(x);
    return fc(at::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
  }
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  std::vector<torch::nn::Sequential> layers;
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(ResNet18);

}  // namespace coppice
