#include "families.hpp"

// Residual networks for small pictures. Source: He et al., Deep Residual Learning for Image Recognition, 2016, 4.2,
// with projections for shortcuts.
namespace coppice::zoo {
namespace {

constexpr std::int64_t classes = 10;

struct Form {
  std::int64_t blocks, channels, side, stem_stride;
};

Form form_of(std::string_view variant) {
  if (variant == "resnet56") return {9, 3, 32, 1};
  if (variant == "fashion_resnet20") return {3, 1, 28, 2};
  return {3, 3, 32, 1};
}

ValueId conv_norm(Net& net, ValueId x, const std::string& conv, const std::string& norm, std::int64_t in,
                  std::int64_t out, const ConvForm& form) {
  return net.batch_norm(net.conv(x, conv, in, out, form), norm, out);
}

ValueId block(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t out, std::int64_t stride) {
  ValueId y = net.relu(conv_norm(net, x, path + ".conv1", path + ".bn1", in, out, {.stride = stride}), path + ".relu1");
  // At half scale at first: what dozens of blocks add up stays small.
  y = net.batch_norm(net.conv(y, path + ".conv2", out, out, {}), path + ".bn2", out, 1e-5f, 0.5f);
  if (stride != 1 || in != out)
    x = conv_norm(net, x, path + ".downsample.0", path + ".downsample.1", in, out, {.kernel = 1, .stride = stride});
  return net.relu(net.add(y, x, path + ".add"), path + ".relu");
}

}  // namespace

void small_resnet(Net& net, std::string_view variant) {
  const Form form = form_of(variant);
  ValueId x = net.image_input(form.channels, form.side);
  x = net.relu(conv_norm(net, x, "conv1", "bn1", form.channels, 16, {.stride = form.stem_stride}), "relu");
  std::int64_t in = 16;
  for (int stage = 0; stage < 3; ++stage) {
    const std::int64_t out = 16 << stage;
    for (std::int64_t i = 0; i < form.blocks; ++i) {
      x = block(net, x, "layer" + std::to_string(stage + 1) + "." + std::to_string(i), in, out,
                i == 0 && stage > 0 ? 2 : 1);
      in = out;
    }
  }
  x = net.linear(net.pool_flat(x, "avgpool"), "fc", in, classes);
  net.output(x, "output", {batch_dim, fixed(classes)});
}

}  // namespace coppice::zoo
