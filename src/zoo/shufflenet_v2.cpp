#include <array>

#include "families.hpp"

namespace coppice::zoo {
namespace {

ValueId conv_norm(Net& net, ValueId x, const std::string& path, int first, std::int64_t in, std::int64_t out,
                  ConvForm form) {
  form.fan_out = false;
  x = net.conv(x, path + "." + std::to_string(first), in, out, form);
  return net.batch_norm(x, path + "." + std::to_string(first + 1), out);
}

/// 1 x 1, depthwise 3 x 3, 1 x 1.
ValueId main_branch(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t half,
                    std::int64_t stride) {
  x = net.relu(conv_norm(net, x, path, 0, in, half, {.kernel = 1}), path + ".2");
  x = conv_norm(net, x, path, 3, half, half, {.stride = stride, .groups = half, .gain = 1});
  return net.relu(conv_norm(net, x, path, 5, half, half, {.kernel = 1, .gain = 1}), path + ".7");
}

/// First and second half of the channels, in the form torch.chunk has in an exported file: bounds from the shape.
std::array<ValueId, 2> halves(Net& net, ValueId x, const std::string& path) {
  using Ints = std::vector<std::int64_t>;
  const ValueId one = net.constant(path + "/one", Ints{1}), two = net.constant(path + "/two", Ints{2});
  const ValueId zero = net.constant(path + "/zero", Ints{0});
  ValueId half =
      net.b.op("Gather", {net.b.op("Shape", {x}, {}, path + "/shape"), one}, {attr("axis", 0)}, path + "/channels");
  half = net.b.op("Div", {net.b.op("Add", {half, one}, {}, path + "/rounded"), two}, {}, path + "/half");
  const ValueId middle = net.b.op("Mul", {half, one}, {}, path + "/middle");
  const ValueId end = net.b.op("Mul", {half, two}, {}, path + "/end");
  return {net.b.op("Slice", {x, zero, middle, one}, {}, path + "/first"),
          net.b.op("Slice", {x, middle, end, one}, {}, path + "/second")};
}

ValueId shuffle(Net& net, ValueId x, const std::string& path, std::int64_t channels, std::int64_t side) {
  const auto batch = Net::Item::computed(net.extent(x, 0, path + "/batch"));
  x = net.reshape(x, {batch, 2, channels / 2, side, side}, path + "/split");
  x = net.transpose(x, {0, 2, 1, 3, 4}, path + "/swap");
  return net.reshape(x, {batch, -1, side, side}, path);
}

ValueId unit(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t out, bool down,
             std::int64_t side) {
  const std::int64_t half = out / 2;
  ValueId left = x, right = x;
  if (down) {
    left = conv_norm(net, x, path + ".branch1", 0, in, in, {.stride = 2, .groups = in, .gain = 1});
    left =
        net.relu(conv_norm(net, left, path + ".branch1", 2, in, half, {.kernel = 1, .gain = 1}), path + ".branch1.4");
    right = main_branch(net, x, path + ".branch2", in, half, 2);
  } else {
    const auto [first, second] = halves(net, x, path + ".chunk");
    left = first;
    right = main_branch(net, second, path + ".branch2", half, half, 1);
  }
  return shuffle(net, net.b.op("Concat", {left, right}, {attr("axis", 1)}, path + ".concat"), path + ".shuffle", out,
                 side);
}

}  // namespace

void shufflenet_v2(Net& net, std::string_view) {
  constexpr std::array<std::int64_t, 3> widths{116, 232, 464};
  constexpr std::array<int, 3> repeats{4, 8, 4};
  ValueId x = net.relu(conv_norm(net, net.image_input(), "conv1", 0, 3, 24, {.stride = 2}), "conv1.2");
  x = net.max_pool(x, "maxpool", 3, 2, 1);
  std::int64_t channels = 24, side = net.options().image_side / 4;
  for (std::size_t stage = 0; stage < widths.size(); ++stage) {
    side /= 2;
    for (int i = 0; i < repeats[stage]; ++i) {
      const std::string path = "stage" + std::to_string(stage + 2) + "." + std::to_string(i);
      x = unit(net, x, path, channels, widths[stage], i == 0, side);
      channels = widths[stage];
    }
  }
  x = net.relu(conv_norm(net, x, "conv5", 0, channels, 1024, {.kernel = 1}), "conv5.2");
  x = net.b.op("ReduceMean", {x}, {attr("axes", std::vector<std::int64_t>{2, 3}), attr("keepdims", 0)}, "mean");
  net.output(net.linear(x, "fc", 1024, 1000), "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
