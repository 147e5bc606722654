#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "coppice/graph/builder.hpp"
#include "coppice/zoo/zoo.hpp"

#include "random.hpp"

namespace coppice::zoo {

using graph::attr;
using graph::Attribute;
using graph::Dim;
using graph::DType;
using graph::ValueId;
using tensor::Shape;
using tensor::Tensor;

/// A convolution's form. `init` decides the scale of its weights.
struct ConvForm {
  std::int64_t kernel = 3, stride = 1, groups = 1;
  std::int64_t pad = -1;  ///< -1: (kernel - 1) / 2, which keeps the size at stride 1.
  bool bias = false;
  /// Kaiming's variance gain: 2 in front of ReLU.
  double gain = 2;
  /// Kaiming's fan: of the outputs (as torchvision's ResNet) or of the inputs, either within one group.
  bool fan_out = true;
};

/// Writes one architecture: a Builder that knows layers. The path of a layer is its module's name; it names the node
/// and prefixes the parameters. Nodes inside a layer are named `path/what`.
class Net {
 public:
  Net(std::string name, std::uint64_t seed, const Options& options)
      : b(std::move(name)), seed_(seed), options_(options) {}

  graph::Builder b;
  const Options& options() const { return options_; }

  /// A parameter or statistic of that full name.
  ValueId param(const std::string& name, const Shape& shape, Init init);
  /// A `Constant` node: numbers that are not learnt (bounds, tables), named `name`.
  ValueId constant(const std::string& name, Tensor tensor);
  ValueId constant(const std::string& name, float value) { return constant(name, Tensor::scalar(value)); }
  ValueId constant(const std::string& name, const std::vector<std::int64_t>& values) {
    return constant(name, Tensor::ints(values));
  }

  /// batch x channels x side x side; `side` 0: as the options say.
  ValueId image_input(std::int64_t channels = 3, std::int64_t side = 0);
  /// Declares the graph output, and names it `name`.
  void output(ValueId value, std::string_view name, std::vector<Dim> shape);
  /// Whole numbers below some vocabulary's size: batch x sequence.
  ValueId token_input();

  ValueId conv(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, const ConvForm& form);
  /// Kernel and stride 2, as a U-Net's way up.
  ValueId conv_transpose(ValueId x, const std::string& path, std::int64_t in, std::int64_t out);
  ValueId batch_norm(ValueId x, const std::string& path, std::int64_t channels, float epsilon = 1e-5f, float scale = 1);
  ValueId layer_norm(ValueId x, const std::string& path, std::int64_t width, float epsilon = 1e-5f);

  ValueId relu(ValueId x, const std::string& path) { return b.op("Relu", {x}, {}, path); }
  ValueId relu6(ValueId x, const std::string& path);
  /// x * sigmoid(x)
  ValueId silu(ValueId x, const std::string& path);
  /// x / 2 * (1 + erf(x / sqrt 2))
  ValueId gelu(ValueId x, const std::string& path);
  ValueId add(ValueId x, ValueId y, const std::string& path) { return b.op("Add", {x, y}, {}, path); }

  ValueId max_pool(ValueId x, const std::string& path, std::int64_t kernel, std::int64_t stride, std::int64_t pad = 0);
  ValueId average_pool(ValueId x, const std::string& path, std::int64_t kernel);
  /// batch x channels x ... -> batch x channels
  ValueId pool_flat(ValueId x, const std::string& path);

  /// A layer of weight `out x in` on x of rank 2 (Gemm); uniform within 1 / sqrt(in), as torch.nn.Linear's.
  ValueId linear(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, bool bias = true);
  /// The same on x of any rank (Transpose of the weight, MatMul, Add); the bias starts at zero.
  ValueId dense(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, Init init, bool bias = true);
  /// `dense` whose parameters are named one by one; without bias when its name is empty.
  ValueId dense_named(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, Init init,
                      const std::string& weight, const std::string& bias);

  /// Extent of an axis at run time, an int64 scalar.
  ValueId extent(ValueId x, std::int64_t axis, const std::string& path);
  /// One element of a shape: a literal, or a scalar that is computed.
  struct Item {
    Item(int literal_value) : literal(literal_value) {}
    Item(std::int64_t literal_value) : literal(literal_value) {}
    static Item computed(ValueId value) {
      Item item(0);
      item.value = value;
      return item;
    }
    std::int64_t literal;
    ValueId value = graph::no_value;
  };
  /// A shape vector: a constant, or what exporters write: Unsqueeze of each computed element, Concat.
  ValueId shape(const std::vector<Item>& items, const std::string& path);
  ValueId reshape(ValueId x, const std::vector<Item>& items, const std::string& path);
  ValueId transpose(ValueId x, std::vector<std::int64_t> perm, const std::string& path);

 private:
  std::uint64_t seed_;
  Options options_;
};

inline const Dim batch_dim{-1, "batch"}, sequence_dim{-1, "sequence"};
inline Dim fixed(std::int64_t size) {
  return {size, {}};
}

}  // namespace coppice::zoo
