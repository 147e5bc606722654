#include "layers.hpp"

#include <cmath>

namespace coppice::zoo {

using Ints = std::vector<std::int64_t>;

ValueId Net::param(const std::string& name, const Shape& shape, Init init) {
  if (options_.lively && init.kind == Init::Kind::constant) init = Init::uniform(0.4, init.center);
  return b.initializer(name, random_tensor(shape, init, stream_key(seed_, name)));
}

ValueId Net::constant(const std::string& name, Tensor tensor) {
  return b.op("Constant", {}, {attr("value", std::move(tensor))}, name);
}

ValueId Net::image_input(std::int64_t channels, std::int64_t side) {
  if (side == 0) side = options_.image_side;
  return b.input("input", DType::float32, {batch_dim, fixed(channels), fixed(side), fixed(side)});
}

ValueId Net::token_input() {
  return b.input("input_ids", DType::int64, {batch_dim, sequence_dim});
}

void Net::output(ValueId value, std::string_view name, std::vector<Dim> shape) {
  b.rename(value, name);
  b.output(value, DType::float32, std::move(shape));
}

ValueId Net::conv(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, const ConvForm& form) {
  const std::int64_t k = form.kernel, pad = form.pad < 0 ? (k - 1) / 2 : form.pad;
  const auto fan = static_cast<double>((form.fan_out ? out : in) / form.groups * k * k);
  std::vector<ValueId> inputs{
      x, param(path + ".weight", {out, in / form.groups, k, k}, Init::normal(std::sqrt(form.gain / fan)))};
  if (form.bias) {
    const auto fan_in = static_cast<double>(in / form.groups * k * k);
    inputs.push_back(param(path + ".bias", {out}, Init::uniform(1 / std::sqrt(fan_in))));
  }
  return b.op("Conv", std::move(inputs),
              {attr("dilations", Ints{1, 1}), attr("group", form.groups), attr("kernel_shape", Ints{k, k}),
               attr("pads", Ints{pad, pad, pad, pad}), attr("strides", Ints{form.stride, form.stride})},
              path);
}

ValueId Net::conv_transpose(ValueId x, const std::string& path, std::int64_t in, std::int64_t out) {
  // Every output pixel sees one input pixel, so the fan is the number of input channels.
  const ValueId weight = param(path + ".weight", {in, out, 2, 2}, Init::normal(std::sqrt(1 / static_cast<double>(in))));
  const ValueId bias = param(path + ".bias", {out}, Init::uniform(1 / std::sqrt(static_cast<double>(out * 4))));
  return b.op("ConvTranspose", {x, weight, bias}, {attr("kernel_shape", Ints{2, 2}), attr("strides", Ints{2, 2})},
              path);
}

ValueId Net::batch_norm(ValueId x, const std::string& path, std::int64_t channels, float epsilon, float scale) {
  const ValueId weight = param(path + ".weight", {channels}, Init::constant(scale));
  const ValueId bias = param(path + ".bias", {channels}, Init::constant(0));
  const ValueId mean = param(path + ".running_mean", {channels}, Init::constant(0));
  const ValueId variance = param(path + ".running_var", {channels}, Init::constant(1));
  return b.op("BatchNormalization", {x, weight, bias, mean, variance}, {attr("epsilon", epsilon)}, path);
}

ValueId Net::layer_norm(ValueId x, const std::string& path, std::int64_t width, float epsilon) {
  const ValueId weight = param(path + ".weight", {width}, Init::constant(1));
  const ValueId bias = param(path + ".bias", {width}, Init::constant(0));
  return b.op("LayerNormalization", {x, weight, bias}, {attr("axis", -1), attr("epsilon", epsilon)}, path);
}

ValueId Net::relu6(ValueId x, const std::string& path) {
  return b.op("Clip", {x, constant(path + "/min", 0.0f), constant(path + "/max", 6.0f)}, {}, path);
}

ValueId Net::silu(ValueId x, const std::string& path) {
  return b.op("Mul", {x, b.op("Sigmoid", {x}, {}, path + "/sigmoid")}, {}, path);
}

ValueId Net::gelu(ValueId x, const std::string& path) {
  const ValueId scaled = b.op("Div", {x, constant(path + "/sqrt2", std::sqrt(2.0f))}, {}, path + "/scaled");
  const ValueId erf = b.op("Erf", {scaled}, {}, path + "/erf");
  const ValueId shifted = b.op("Add", {erf, constant(path + "/one", 1.0f)}, {}, path + "/shifted");
  const ValueId twice = b.op("Mul", {x, shifted}, {}, path + "/twice");
  return b.op("Mul", {twice, constant(path + "/half", 0.5f)}, {}, path);
}

ValueId Net::max_pool(ValueId x, const std::string& path, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return b.op("MaxPool", {x},
              {attr("kernel_shape", Ints{kernel, kernel}), attr("pads", Ints{pad, pad, pad, pad}),
               attr("strides", Ints{stride, stride})},
              path);
}

ValueId Net::average_pool(ValueId x, const std::string& path, std::int64_t kernel) {
  return b.op("AveragePool", {x}, {attr("kernel_shape", Ints{kernel, kernel}), attr("strides", Ints{kernel, kernel})},
              path);
}

ValueId Net::pool_flat(ValueId x, const std::string& path) {
  return b.op("Flatten", {b.op("GlobalAveragePool", {x}, {}, path)}, {attr("axis", 1)}, path + "/flatten");
}

ValueId Net::linear(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, bool bias) {
  const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(in)));
  std::vector<ValueId> inputs{x, param(path + ".weight", {out, in}, init)};
  if (bias) inputs.push_back(param(path + ".bias", {out}, init));
  return b.op("Gemm", std::move(inputs), {attr("transB", 1)}, path);
}

ValueId Net::dense(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, Init init, bool bias) {
  return dense_named(x, path, in, out, init, path + ".weight", bias ? path + ".bias" : std::string());
}

ValueId Net::dense_named(ValueId x, const std::string& path, std::int64_t in, std::int64_t out, Init init,
                         const std::string& weight, const std::string& bias) {
  const ValueId turned = transpose(param(weight, {out, in}, init), {1, 0}, path + "/weight_t");
  const ValueId product = b.op("MatMul", {x, turned}, {}, path);
  if (bias.empty()) return product;
  return add(param(bias, {out}, Init::constant(0)), product, path + "/bias");
}

ValueId Net::extent(ValueId x, std::int64_t axis, const std::string& path) {
  const ValueId all = b.op("Shape", {x}, {}, path + "/shape");
  return b.op("Gather", {all, constant(path + "/axis", Tensor::scalar(axis))}, {attr("axis", 0)}, path);
}

ValueId Net::shape(const std::vector<Item>& items, const std::string& path) {
  Ints literals;
  for (const Item& item : items)
    if (item.value == graph::no_value) literals.push_back(item.literal);
  if (literals.size() == items.size()) return constant(path, literals);
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string part = path + "/" + std::to_string(i);
    if (items[i].value == graph::no_value) {
      parts.push_back(constant(part, Ints{items[i].literal}));
    } else {
      parts.push_back(b.op("Unsqueeze", {items[i].value, constant(part + "/axes", Ints{0})}, {}, part));
    }
  }
  return b.op("Concat", std::move(parts), {attr("axis", 0)}, path);
}

ValueId Net::reshape(ValueId x, const std::vector<Item>& items, const std::string& path) {
  return b.op("Reshape", {x, shape(items, path + "/shape")}, {}, path);
}

ValueId Net::transpose(ValueId x, Ints perm, const std::string& path) {
  return b.op("Transpose", {x}, {attr("perm", std::move(perm))}, path);
}

}  // namespace coppice::zoo
