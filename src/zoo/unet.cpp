#include "families.hpp"

namespace coppice::zoo {
namespace {

using Ints = std::vector<std::int64_t>;

struct Form {
  std::int64_t base;        ///< Channels of the first level; each of the four levels below has twice as many.
  std::int64_t groups = 0;  ///< Of group norm; 0: batch norm.
};

/// Group norm before opset 21, as torch's exporter writes it: groups become channels of an instance norm.
ValueId group_norm(Net& net, ValueId x, const std::string& path, std::int64_t channels, std::int64_t groups) {
  graph::Builder& b = net.b;
  const auto count = static_cast<std::size_t>(groups);
  const auto plain = [&](const std::string& what, float value) {
    return net.constant(path + what, Tensor::of<float>(DType::float32, {groups}, std::vector<float>(count, value)));
  };
  const auto per_channel = [&](const std::string& name, float value) {
    const ValueId vector = net.param(path + name, {channels}, Init::constant(value));
    return b.op("Unsqueeze", {vector, net.constant(path + name + "/axes", Ints{1, 2})}, {}, path + name + "/unsqueeze");
  };
  ValueId y = net.reshape(x, {0, groups, -1}, path + "/groups");
  y = b.op("InstanceNormalization", {y, plain("/ones", 1), plain("/zeros", 0)}, {attr("epsilon", 1e-5f)},
           path + "/normalised");
  y = b.op("Reshape", {y, b.op("Shape", {x}, {}, path + "/shape")}, {}, path + "/channels");
  y = b.op("Mul", {y, per_channel(".weight", 1)}, {}, path + "/scaled");
  return b.op("Add", {y, per_channel(".bias", 0)}, {}, path);
}

ValueId norm(Net& net, ValueId x, const std::string& path, std::int64_t channels, const Form& form) {
  return form.groups > 0 ? group_norm(net, x, path, channels, form.groups) : net.batch_norm(x, path, channels);
}

ValueId double_conv(Net& net, ValueId x, const std::string& module, std::int64_t in, std::int64_t out,
                    const Form& form) {
  const std::string path = module + ".double_conv.";
  x = net.conv(x, path + "0", in, out, {.fan_out = false});
  x = net.relu(norm(net, x, path + "1", out, form), path + "2");
  x = net.conv(x, path + "3", out, out, {.fan_out = false});
  return net.relu(norm(net, x, path + "4", out, form), path + "5");
}

}  // namespace

void unet(Net& net, std::string_view variant) {
  const Form form = variant == "unet" ? Form{64} : Form{16, 8};
  constexpr int levels = 4;
  std::vector<ValueId> skips{double_conv(net, net.image_input(), "inc", 3, form.base, form)};
  for (int level = 1; level <= levels; ++level) {
    const std::string path = "down" + std::to_string(level) + ".maxpool_conv.";
    const ValueId x = net.max_pool(skips.back(), path + "0", 2, 2);
    skips.push_back(double_conv(net, x, path + "1", form.base << (level - 1), form.base << level, form));
  }
  ValueId x = skips.back();
  for (int level = levels - 1; level >= 0; --level) {
    const std::string path = "up" + std::to_string(levels - level);
    const std::int64_t channels = form.base << level;
    x = net.conv_transpose(x, path + ".up", channels * 2, channels);
    x = net.b.op("Concat", {skips[static_cast<std::size_t>(level)], x}, {attr("axis", 1)}, path + ".concat");
    x = double_conv(net, x, path + ".conv", channels * 2, channels, form);
  }
  x = net.conv(x, "outc.conv", form.base, 2, {.kernel = 1, .bias = true, .fan_out = false});
  const std::int64_t side = net.options().image_side;
  net.output(x, "output", {batch_dim, fixed(2), fixed(side), fixed(side)});
}

}  // namespace coppice::zoo
