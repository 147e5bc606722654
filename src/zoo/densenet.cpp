#include <array>

#include "families.hpp"

namespace coppice::zoo {
namespace {

/// Norm, ReLU, convolution.
ValueId norm_relu_conv(Net& net, ValueId x, const std::string& path, const std::string& number, std::int64_t in,
                       std::int64_t out, std::int64_t kernel) {
  x = net.relu(net.batch_norm(x, path + ".norm" + number, in), path + ".relu" + number);
  return net.conv(x, path + ".conv" + number, in, out, {.kernel = kernel, .fan_out = false});
}

}  // namespace

void densenet(Net& net, std::string_view) {
  constexpr std::array<int, 4> layers{6, 12, 24, 16};
  constexpr std::int64_t growth = 32, bottleneck = 4 * growth;
  ValueId x = net.conv(net.image_input(), "features.conv0", 3, 64, {.kernel = 7, .stride = 2, .fan_out = false});
  x = net.relu(net.batch_norm(x, "features.norm0", 64), "features.relu0");
  x = net.max_pool(x, "features.pool0", 3, 2, 1);
  std::int64_t channels = 64;
  for (std::size_t stage = 0; stage < layers.size(); ++stage) {
    const std::string block = "features.denseblock" + std::to_string(stage + 1);
    std::vector<ValueId> collected{x};
    for (int i = 1; i <= layers[stage]; ++i) {
      const std::string path = block + ".denselayer" + std::to_string(i);
      // As exporters write it: every layer joins all earlier ones anew.
      const ValueId joined =
          collected.size() == 1 ? x : net.b.op("Concat", collected, {attr("axis", 1)}, path + ".concat");
      const ValueId inner = norm_relu_conv(net, joined, path, "1", channels, bottleneck, 1);
      collected.push_back(norm_relu_conv(net, inner, path, "2", bottleneck, growth, 3));
      channels += growth;
    }
    x = net.b.op("Concat", collected, {attr("axis", 1)}, block + ".concat");
    if (stage + 1 == layers.size()) break;
    const std::string path = "features.transition" + std::to_string(stage + 1);
    x = net.average_pool(norm_relu_conv(net, x, path, "", channels, channels / 2, 1), path + ".pool", 2);
    channels /= 2;
  }
  x = net.relu(net.batch_norm(x, "features.norm5", channels), "relu");
  x = net.linear(net.pool_flat(x, "avgpool"), "classifier", channels, 1000);
  net.output(x, "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
