#include "families.hpp"

namespace coppice::zoo {

void mlp(Net& net, std::string_view) {
  ValueId x = net.b.input("input", DType::float32, {batch_dim, fixed(784)});
  x = net.relu(net.linear(x, "fc1", 784, 256), "relu1");
  x = net.relu(net.linear(x, "fc2", 256, 128), "relu2");
  net.output(net.linear(x, "fc3", 128, 10), "output", {batch_dim, fixed(10)});
}

}  // namespace coppice::zoo
