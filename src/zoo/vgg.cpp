#include <algorithm>
#include <array>

#include "families.hpp"

namespace coppice::zoo {

void vgg(Net& net, std::string_view variant) {
  // Convolutions per stage.
  const std::array<int, 5> stages =
      variant == "vgg11_bn" ? std::array<int, 5>{1, 1, 2, 2, 2} : std::array<int, 5>{2, 2, 3, 3, 3};
  ValueId x = net.image_input();
  std::int64_t channels = 3;
  int index = 0;
  const auto next = [&] { return "features." + std::to_string(index++); };
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    const std::int64_t width = std::min<std::int64_t>(512, 64 << stage);
    for (int i = 0; i < stages[stage]; ++i) {
      x = net.conv(x, next(), channels, width, {.bias = true});
      x = net.batch_norm(x, next(), width);
      x = net.relu(x, next());
      channels = width;
    }
    x = net.max_pool(x, next(), 2, 2);
  }
  // The original's adaptive pooling to 7 x 7 does nothing at 224 x 224; elsewhere the first layer is sized to the map.
  const std::int64_t map = net.options().image_side / 32;
  x = net.b.op("Flatten", {x}, {attr("axis", 1)}, "avgpool/flatten");
  x = net.relu(net.linear(x, "classifier.0", 512 * map * map, 4096), "classifier.1");
  x = net.relu(net.linear(x, "classifier.3", 4096, 4096), "classifier.4");
  net.output(net.linear(x, "classifier.6", 4096, 1000), "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
