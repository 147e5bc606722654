#include <algorithm>
#include <array>

#include "families.hpp"

namespace coppice::zoo {
namespace {

struct Stage {
  std::int64_t expansion, kernel, stride, width, repeats;
};
constexpr std::array<Stage, 7> stages{{{1, 3, 1, 16, 1},
                                       {6, 3, 2, 24, 2},
                                       {6, 5, 2, 40, 2},
                                       {6, 3, 2, 80, 3},
                                       {6, 5, 1, 112, 3},
                                       {6, 5, 2, 192, 4},
                                       {6, 3, 1, 320, 1}}};

// Kaiming's gains: 1 / E[silu(x)^2] of a unit normal x in front of a layer; behind the squeeze, whose sigmoid halves
// the signal, twice that. With torchvision's start the gated blocks leave nothing of the signal at the outputs.
constexpr double silu_gain = 2.8, gated_gain = 2 * silu_gain;

/// Convolution and batch norm; SiLU when `active`.
ValueId conv_norm(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t out, ConvForm form,
                  bool active) {
  form.fan_out = false;
  x = net.batch_norm(net.conv(x, path + ".0", in, out, form), path + ".1", out);
  return active ? net.silu(x, path + ".2") : x;
}

/// A gate per channel from the whole image.
ValueId squeeze_excite(Net& net, ValueId x, const std::string& path, std::int64_t channels, std::int64_t squeezed) {
  const ConvForm form{.kernel = 1, .bias = true, .gain = silu_gain, .fan_out = false};
  ValueId gate = net.b.op("GlobalAveragePool", {x}, {}, path + ".avgpool");
  gate = net.silu(net.conv(gate, path + ".fc1", channels, squeezed, form), path + ".activation");
  gate = net.b.op("Sigmoid", {net.conv(gate, path + ".fc2", squeezed, channels, form)}, {}, path + ".scale_activation");
  return net.b.op("Mul", {gate, x}, {}, path + ".mul");
}

ValueId mb_conv(Net& net, ValueId x, const std::string& path, std::int64_t in, const Stage& stage,
                std::int64_t stride) {
  const std::int64_t inner = in * stage.expansion;
  int index = 0;
  const auto next = [&] { return path + ".block." + std::to_string(index++); };
  ValueId y = x;
  // The block's input comes from a projection, that is, without an activation: gain 1.
  if (stage.expansion != 1) y = conv_norm(net, y, next(), in, inner, {.kernel = 1, .gain = 1}, true);
  y = conv_norm(net, y, next(), inner, inner,
                {.kernel = stage.kernel, .stride = stride, .groups = inner, .gain = silu_gain}, true);
  y = squeeze_excite(net, y, next(), inner, std::max<std::int64_t>(1, in / 4));
  y = conv_norm(net, y, next(), inner, stage.width, {.kernel = 1, .gain = gated_gain}, false);
  return stride == 1 && in == stage.width ? net.add(y, x, path + ".add") : y;
}

}  // namespace

void efficientnet(Net& net, std::string_view) {
  ValueId x = conv_norm(net, net.image_input(), "features.0", 3, 32, {.stride = 2, .gain = silu_gain}, true);
  std::int64_t channels = 32;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (std::int64_t i = 0; i < stages[s].repeats; ++i) {
      const std::string path = "features." + std::to_string(s + 1) + "." + std::to_string(i);
      x = mb_conv(net, x, path, channels, stages[s], i == 0 ? stages[s].stride : 1);
      channels = stages[s].width;
    }
  }
  x = conv_norm(net, x, "features.8", channels, 1280, {.kernel = 1, .gain = 1}, true);
  x = net.linear(net.pool_flat(x, "avgpool"), "classifier.1", 1280, 1000);
  net.output(x, "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
