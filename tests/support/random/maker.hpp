#pragma once
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string_view>
#include <vector>

#include "coppice/graph/builder.hpp"

#include "support/ort_referee.hpp"

namespace coppice::test {

using graph::Attribute;
using graph::ValueId;
using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

/// A float32 value and its extents. Axis 0 is the batch; in a model with a dynamic batch its extent is an example.
struct Feature {
  ValueId id = graph::no_value;
  Shape shape;
  std::int64_t operator[](std::size_t axis) const { return shape[axis]; }
  std::size_t rank() const { return shape.size(); }
  operator ValueId() const { return id; }
};

Attribute ints(std::string_view name, std::vector<std::int64_t> values);
Attribute real(std::string_view name, float value);
Attribute text(std::string_view name, std::string_view value);

struct ConvShape {
  std::int64_t kernel = 3, stride = 1, group = 1, dilation = 1;
  bool bias = true;
};

/// Random choices, live weights and the layers that every block needs. Same seed, same model.
class Maker {
 public:
  Maker(std::uint64_t seed, std::int64_t opset);

  // The graph's ends. `feeding` learns how to feed them.
  Feature input(std::string_view name, Shape shape);
  /// Whole numbers in [0, below).
  ValueId token_input(std::string_view name, Shape shape, std::int64_t below);
  void output(const Feature& x, std::string_view name);

  // Choices.
  std::int64_t pick(std::int64_t low, std::int64_t high);  ///< Both ends included.
  bool chance(double probability);
  std::int64_t one_of(std::initializer_list<std::int64_t> choices);
  std::int64_t width() { return 4 * pick(2, 6); }  ///< A number of channels: 8 to 24, divisible by 4.
  double normal();

  // Constants with names of their own.
  ValueId values(std::string_view stem, Shape shape, double scale, double mean = 0);
  ValueId positive(std::string_view stem, Shape shape);  ///< Uniform on [0.5, 1.5].
  ValueId weight(Shape shape, std::int64_t fan_in) { return values("weight", std::move(shape), gain(fan_in)); }
  ValueId bias(Shape shape) { return values("bias", std::move(shape), 0.3); }
  ValueId constant(std::string_view stem, const std::vector<float>& numbers);  ///< A vector.
  ValueId scalar(float value) { return builder.real_scalar(value); }
  /// Whole numbers of `low` to `high` in a tensor of any integer type.
  ValueId whole(std::string_view stem, DType dtype, Shape shape, std::int64_t low, std::int64_t high);

  /// Any operator with one output.
  Feature op(std::string_view type, std::vector<ValueId> inputs, Shape shape, std::vector<Attribute> attributes = {});
  /// Any elementwise operator: the result has the first operand's extents.
  Feature map(std::string_view type, const Feature& x, std::vector<ValueId> more = {},
              std::vector<Attribute> attributes = {});

  // Layers.
  Feature conv(const Feature& x, std::int64_t out, ConvShape how = {});
  Feature batch_norm(const Feature& x);
  /// MatMul (or Gemm where x has rank 2) over the last axis, with a bias.
  Feature linear(const Feature& x, std::int64_t out, bool with_bias = true);
  Feature matmul(const Feature& a, const Feature& b);
  Feature activation(const Feature& x);
  /// x * 0.5 * (1 + erf(x / sqrt 2)), in pieces.
  Feature gelu(const Feature& x);
  Feature reduce(std::string_view type, const Feature& x, std::vector<std::int64_t> axes, bool keep);

  // Moving data. Extents name the batch as shape[0] of the operand; it is written as 0, -1, a number or computed.
  Feature reshape(const Feature& x, Shape shape);
  Feature transpose(const Feature& x, std::vector<std::int64_t> order);
  Feature slice(const Feature& x, std::size_t axis, std::int64_t from, std::int64_t to);
  std::vector<Feature> split(const Feature& x, std::size_t axis, std::vector<std::int64_t> sizes);
  Feature concat(std::vector<Feature> parts, std::size_t axis);
  Feature unsqueeze(const Feature& x, std::vector<std::int64_t> axes);
  Feature squeeze(const Feature& x, std::vector<std::int64_t> axes);

  static double gain(std::int64_t fan_in);

  graph::Builder builder;
  const std::int64_t opset;
  bool dynamic_batch = false;
  RefereeOptions feeding;

 private:
  std::vector<graph::Dim> dims(const Shape& shape) const;
  ValueId add(std::string_view stem, Tensor tensor);
  ValueId reshape_target(const Feature& x, const Shape& shape);
  std::mt19937_64 engine_;
};

}  // namespace coppice::test
