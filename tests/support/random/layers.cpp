#include <algorithm>
#include <cmath>

#include "support/random/maker.hpp"

namespace coppice::test {

Feature Maker::conv(const Feature& x, std::int64_t out, ConvShape how) {
  const std::size_t spatial = x.rank() - 2;
  const std::int64_t pad = how.dilation * (how.kernel - 1) / 2;
  Shape kernel{out, x[1] / how.group}, shape{x[0], out};
  std::int64_t fan_in = x[1] / how.group;
  for (std::size_t i = 0; i < spatial; ++i) {
    kernel.push_back(how.kernel);
    fan_in *= how.kernel;
    shape.push_back((x[i + 2] + 2 * pad - how.dilation * (how.kernel - 1) - 1) / how.stride + 1);
  }
  std::vector<ValueId> inputs{x, weight(kernel, fan_in)};
  if (how.bias) inputs.push_back(bias({out}));
  std::vector<Attribute> attributes{ints("kernel_shape", std::vector<std::int64_t>(spatial, how.kernel)),
                                    ints("pads", std::vector<std::int64_t>(2 * spatial, pad)),
                                    ints("strides", std::vector<std::int64_t>(spatial, how.stride))};
  if (how.dilation != 1) attributes.push_back(ints("dilations", std::vector<std::int64_t>(spatial, how.dilation)));
  if (how.group != 1) attributes.push_back(graph::attr("group", graph::AttributeValue(how.group)));
  return op("Conv", inputs, shape, attributes);
}

Feature Maker::batch_norm(const Feature& x) {
  const Shape one{x[1]};
  std::vector<ValueId> inputs{x};
  inputs.push_back(positive("bn_scale", one));
  inputs.push_back(values("bn_bias", one, 0.3));
  inputs.push_back(values("bn_mean", one, 0.3));
  inputs.push_back(positive("bn_var", one));
  return op("BatchNormalization", inputs, x.shape, {real("epsilon", 1e-5f)});
}

Feature Maker::linear(const Feature& x, std::int64_t out, bool with_bias) {
  const std::int64_t in = x.shape.back();
  Shape shape = x.shape;
  shape.back() = out;
  if (x.rank() == 2 && chance(0.7)) {
    const bool transposed = chance(0.5);
    std::vector<ValueId> inputs{x, weight(transposed ? Shape{out, in} : Shape{in, out}, in)};
    if (with_bias) inputs.push_back(bias({out}));
    return op("Gemm", inputs, shape, {graph::attr("transB", transposed ? 1 : 0)});
  }
  Feature y = op("MatMul", {x, weight({in, out}, in)}, shape);
  if (!with_bias) return y;
  const ValueId b = bias({out});
  return chance(0.5) ? op("Add", {y, b}, shape) : op("Add", {b, y}, shape);
}

Feature Maker::matmul(const Feature& a, const Feature& b) {
  Shape shape = a.shape;
  shape.back() = b.shape.back();
  return op("MatMul", {a, b}, shape);
}

Feature Maker::activation(const Feature& x) {
  switch (pick(0, 10)) {
    case 0:
      return map("Sigmoid", x);
    case 1:
      return map("Tanh", x);
    case 2:
      return map("HardSwish", x);
    case 3:
      return gelu(x);
    case 4:
      return map("LeakyRelu", x, {}, {real("alpha", 0.1f)});
    case 5:
      return map("Mul", x, {map("Sigmoid", x)});
    case 6:
      return map("Clip", x, {scalar(0), scalar(6)});
    case 7:
      return map("Elu", x);
    case 8:
      return map("HardSigmoid", x);
    default:
      return map("Relu", x);
  }
}

Feature Maker::gelu(const Feature& x) {
  const Feature inner = map("Erf", map("Div", x, {scalar(std::sqrt(2.0f))}));
  return map("Mul", map("Mul", x, {map("Add", inner, {scalar(1)})}), {scalar(0.5f)});
}

Feature Maker::reduce(std::string_view type, const Feature& x, std::vector<std::int64_t> axes, bool keep) {
  Shape shape;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    const bool gone = std::any_of(axes.begin(), axes.end(), [&](std::int64_t axis) {
      return (axis < 0 ? axis + static_cast<std::int64_t>(x.rank()) : axis) == static_cast<std::int64_t>(i);
    });
    if (!gone)
      shape.push_back(x[i]);
    else if (keep)
      shape.push_back(1);
  }
  if (opset >= 18 || type == "ReduceSum") {
    return op(type, {x, builder.ints(axes)}, shape, {graph::attr("keepdims", keep ? 1 : 0)});
  }
  return op(type, {x}, shape, {ints("axes", axes), graph::attr("keepdims", keep ? 1 : 0)});
}

}  // namespace coppice::test
