#include <array>

#include "families.hpp"

namespace coppice::zoo {
namespace {

struct Stage {
  std::int64_t expansion, width, repeats, stride;
};
constexpr std::array<Stage, 7> stages{
    {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};

/// Convolution, batch norm, ReLU6: one torchvision module of three.
ValueId conv_norm_relu(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t out,
                       const ConvForm& form) {
  x = net.conv(x, path + ".0", in, out, form);
  return net.relu6(net.batch_norm(x, path + ".1", out), path + ".2");
}

ValueId inverted_residual(Net& net, ValueId x, const std::string& path, std::int64_t in, const Stage& stage,
                          std::int64_t stride) {
  const std::int64_t inner = in * stage.expansion;
  int index = 0;
  const auto next = [&] { return path + ".conv." + std::to_string(index++); };
  ValueId y = x;
  if (stage.expansion != 1) y = conv_norm_relu(net, y, next(), in, inner, {.kernel = 1, .fan_out = false});
  y = conv_norm_relu(net, y, next(), inner, inner, {.stride = stride, .groups = inner, .fan_out = false});
  // No activation follows the projection.
  y = net.conv(y, next(), inner, stage.width, {.kernel = 1, .fan_out = false});
  y = net.batch_norm(y, next(), stage.width);
  return stride == 1 && in == stage.width ? net.add(x, y, path + ".add") : y;
}

}  // namespace

void mobilenet_v2(Net& net, std::string_view) {
  int index = 0;
  const auto next = [&] { return "features." + std::to_string(index++); };
  ValueId x = conv_norm_relu(net, net.image_input(), next(), 3, 32, {.stride = 2, .fan_out = false});
  std::int64_t channels = 32;
  for (const Stage& stage : stages) {
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      x = inverted_residual(net, x, next(), channels, stage, i == 0 ? stage.stride : 1);
      channels = stage.width;
    }
  }
  x = conv_norm_relu(net, x, next(), channels, 1280, {.kernel = 1, .fan_out = false});
  x = net.linear(net.pool_flat(x, "avgpool"), "classifier.1", 1280, 1000);
  net.output(x, "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
