#include <array>

#include "families.hpp"

namespace coppice::zoo {
namespace {

struct Form {
  std::array<std::int64_t, 4> blocks;
  bool bottleneck;
  std::int64_t groups = 1, group_width = 64;
};

Form form_of(std::string_view variant) {
  if (variant == "resnet18") return {{2, 2, 2, 2}, false};
  if (variant == "resnet34") return {{3, 4, 6, 3}, false};
  if (variant == "resnext50_32x4d") return {{3, 4, 6, 3}, true, 32, 4};
  if (variant == "wide_resnet50_2") return {{3, 4, 6, 3}, true, 1, 128};
  return {{3, 4, 6, 3}, true};
}

ValueId conv_norm(Net& net, ValueId x, const std::string& path, const std::string& number, std::int64_t in,
                  std::int64_t out, const ConvForm& form) {
  const ValueId y = net.conv(x, path + ".conv" + number, in, out, form);
  return net.batch_norm(y, path + ".bn" + number, out);
}

ValueId block(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t width, std::int64_t stride,
              const Form& form) {
  ValueId y;
  std::int64_t out = width;
  if (form.bottleneck) {
    out = width * 4;
    const std::int64_t inner = width * form.group_width / 64 * form.groups;
    y = net.relu(conv_norm(net, x, path, "1", in, inner, {.kernel = 1}), path + ".relu1");
    y = conv_norm(net, y, path, "2", inner, inner, {.stride = stride, .groups = form.groups});
    y = net.relu(y, path + ".relu2");
    y = conv_norm(net, y, path, "3", inner, out, {.kernel = 1});
  } else {
    y = net.relu(conv_norm(net, x, path, "1", in, out, {.stride = stride}), path + ".relu1");
    y = conv_norm(net, y, path, "2", out, out, {});
  }
  if (stride != 1 || in != out) {
    x = net.conv(x, path + ".downsample.0", in, out, {.kernel = 1, .stride = stride});
    x = net.batch_norm(x, path + ".downsample.1", out);
  }
  return net.relu(net.add(y, x, path + ".add"), path + ".relu");
}

}  // namespace

void resnet(Net& net, std::string_view variant) {
  const Form form = form_of(variant);
  ValueId x = net.conv(net.image_input(), "conv1", 3, 64, {.kernel = 7, .stride = 2});
  x = net.relu(net.batch_norm(x, "bn1", 64), "relu");
  x = net.max_pool(x, "maxpool", 3, 2, 1);
  std::int64_t channels = 64;
  for (std::size_t stage = 0; stage < form.blocks.size(); ++stage) {
    const std::int64_t width = 64 << stage;
    for (std::int64_t i = 0; i < form.blocks[stage]; ++i) {
      const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      x = block(net, x, path, channels, width, i == 0 && stage > 0 ? 2 : 1, form);
      channels = form.bottleneck ? width * 4 : width;
    }
  }
  x = net.linear(net.pool_flat(x, "avgpool"), "fc", channels, 1000);
  net.output(x, "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
