// Trains the small network of examples/models/fashion_cnn.onnx on Fashion-MNIST: a graph built in code, run and trained
// as a torch::nn::Module, written as ONNX.
//   train_fashion_cnn OUT.onnx [EPOCHS [SEED]]
// SEED draws the first weights and the order of the pictures.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <coppice/data/loader.hpp>
#include <coppice/data/read.hpp>
#include <coppice/formats/onnx.hpp>
#include <coppice/graph/builder.hpp>
#include <coppice/torch/graph_module.hpp>
#include <coppice/torch/tensors.hpp>
#include <torch/torch.h>

namespace {

using namespace coppice;
using graph::attr;
using graph::AttributeValue;
using graph::ValueId;
using Ints = std::vector<std::int64_t>;

// Convolution, batch norm, ReLU: parameters named as torch::nn would.
ValueId block(graph::Builder& b, ValueId x, const std::string& number, std::int64_t in, std::int64_t out) {
  const auto constant = [&](const std::string& name, const at::Tensor& tensor) {
    return b.initializer(name, to_coppice(tensor.clone()));
  };
  const std::string conv = "conv" + number, bn = "bn" + number;
  const at::Tensor weight = at::randn({out, in, 3, 3}) * std::sqrt(2.0 / static_cast<double>(9 * in));
  x = b.op("Conv", {x, constant(conv + ".weight", weight)}, {attr("pads", AttributeValue(Ints{1, 1, 1, 1}))}, conv);
  x = b.op("BatchNormalization",
           {x, constant(bn + ".weight", at::ones({out})), constant(bn + ".bias", at::zeros({out})),
            constant(bn + ".running_mean", at::zeros({out})), constant(bn + ".running_var", at::ones({out}))},
           {}, bn);
  return b.op("Relu", {x}, {}, "relu" + number);
}

ValueId pool(graph::Builder& b, ValueId x, const std::string& name) {
  return b.op("MaxPool", {x},
              {attr("kernel_shape", AttributeValue(Ints{2, 2})), attr("strides", AttributeValue(Ints{2, 2}))}, name);
}

graph::Model fashion_cnn() {
  graph::Builder b("fashion_cnn");
  ValueId x = b.input("image", tensor::DType::float32, {{-1, "batch"}, {1, {}}, {28, {}}, {28, {}}});
  x = pool(b, block(b, x, "1", 1, 24), "pool1");
  x = block(b, block(b, x, "2", 24, 32), "3", 32, 32);
  x = block(b, block(b, pool(b, x, "pool2"), "4", 32, 64), "5", 64, 64);
  x = b.op("Flatten", {b.op("GlobalAveragePool", {x}, {}, "average")}, {}, "flatten");
  x = b.op("Gemm",
           {x, b.initializer("fc.weight", to_coppice((at::rand({10, 64}) - 0.5) / 4)),
            b.initializer("fc.bias", to_coppice(at::zeros({10})))},
           {attr("transB", 1)}, "fc");
  b.rename(x, "logits");
  b.output(x, tensor::DType::float32, {{-1, "batch"}, {10, {}}});
  return std::move(b).finish();
}

double accuracy(GraphModule& module, const BatchSource& test) {
  const at::NoGradGuard no_gradients;
  module.eval();
  std::int64_t right = 0, all = 0;
  test.for_each([&](const Batch& batch) {
    right += module.forward(batch.inputs[0]).argmax(1).eq(batch.target).sum().item<std::int64_t>();
    all += batch.target.size(0);
    return true;
  });
  return static_cast<double>(right) / static_cast<double>(all);
}

void train(const std::string& path, int epochs, std::uint64_t seed) {
  torch::manual_seed(seed);
  const auto folder = data::fashion_mnist_folder;
  const auto training = data::read_idx_folder(folder, data::Part::training);
  const auto test = data::read_idx_folder(folder, data::Part::test);
  GraphModule module(fashion_cnn());
  const std::int64_t batch_size = 128, steps = (training->size() + batch_size - 1) / batch_size * epochs;
  torch::optim::SGD optimizer(module.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
  const Loss loss = cross_entropy();
  std::int64_t step = 0;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    module.train();
    double sum = 0;
    BatchSource(
        data::Loader(training, {.batch_size = batch_size, .seed = 1000 * seed + static_cast<std::uint64_t>(epoch)}))
        .for_each([&](const Batch& batch) {
          // The rate falls from its peak to zero along a cosine.
          const double rate = 0.05 * (1 + std::cos(M_PI * static_cast<double>(step++) / static_cast<double>(steps)));
          static_cast<torch::optim::SGDOptions&>(optimizer.param_groups()[0].options()).lr(rate);
          optimizer.zero_grad();
          const at::Tensor value = loss({module.forward(batch.inputs[0])}, batch.target);
          value.backward();
          optimizer.step();
          sum += value.item<double>() * static_cast<double>(batch.target.size(0));
          return true;
        });
    std::printf("epoch %d: loss %.4f, test accuracy %.2f %%\n", epoch + 1, sum / static_cast<double>(training->size()),
                100 * accuracy(module, data::Loader(test, {.batch_size = 500, .shuffled = false})));
    std::fflush(stdout);
  }
  formats::write_onnx(module.model(), path);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: train_fashion_cnn OUT.onnx [EPOCHS [SEED]]\n");
    return 2;
  }
  try {
    train(arguments[1], count > 2 ? std::atoi(arguments[2]) : 3,
          count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
