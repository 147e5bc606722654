#include "families.hpp"

namespace coppice::zoo {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t width = 768, heads = 12, head_width = width / heads, hidden = 3072, patch = 16, depth = 12;
const Init weight_init = Init::normal(0.02);

/// torch's scaled_dot_product_attention as its exporter writes it: the root of the scale is computed from the query's
/// shape and goes to both sides.
ValueId scaled_attention(Net& net, ValueId q, ValueId k, ValueId v, const std::string& path) {
  graph::Builder& b = net.b;
  ValueId size = b.op("Shape", {q}, {}, path + "/scale/shape");
  size = b.op("Slice",
              {size, net.constant(path + "/scale/from", Ints{-1}), net.constant(path + "/scale/to", Ints{INT64_MAX}),
               net.constant(path + "/scale/axes", Ints{0})},
              {}, path + "/scale/width");
  size = b.op("Cast", {size}, {attr("to", static_cast<int>(DType::float32))}, path + "/scale/cast");
  const ValueId root = b.op("Sqrt", {size}, {}, path + "/scale/sqrt");
  const ValueId scale =
      b.op("Div", {net.constant(path + "/scale/one", Tensor::of<float>(DType::float32, {1}, std::vector{1.0f})), root},
           {}, path + "/scale");
  const ValueId half = b.op("Sqrt", {scale}, {}, path + "/scale/half");
  q = b.op("Mul", {q, half}, {}, path + "/q_scaled");
  k = b.op("Mul", {net.transpose(k, {0, 1, 3, 2}, path + "/k_t"), half}, {}, path + "/k_scaled");
  const ValueId weights =
      b.op("Softmax", {b.op("MatMul", {q, k}, {}, path + "/scores")}, {attr("axis", -1)}, path + "/softmax");
  return b.op("MatMul", {weights, v}, {}, path);
}

/// torch.nn.MultiheadAttention, batch first: the sequence goes to the front, one product makes q, k and v.
ValueId self_attention(Net& net, ValueId x, const std::string& path, std::int64_t tokens) {
  graph::Builder& b = net.b;
  x = net.transpose(x, {1, 0, 2}, path + "/sequence_first");
  const ValueId batch = net.extent(x, 1, path + "/batch");
  const auto n = Net::Item::computed(batch);
  x = net.dense_named(x, path + ".in_proj", width, 3 * width, weight_init, path + ".in_proj_weight",
                      path + ".in_proj_bias");
  x = net.reshape(x, {tokens, n, 3, width}, path + "/unflatten");
  x = b.op("Unsqueeze", {x, net.constant(path + "/front", Ints{0})}, {}, path + "/unsqueeze");
  x = net.transpose(x, {3, 1, 2, 0, 4}, path + "/qkv_first");
  x = b.op("Squeeze", {x, net.constant(path + "/back", Ints{3})}, {}, path + "/qkv");
  // Heads join the batch for a moment.
  const ValueId all =
      b.op("Mul", {batch, net.constant(path + "/heads", Tensor::scalar(heads))}, {}, path + "/batch_heads");
  ValueId part[3];
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::string name = path + "/" + "qkv"[i];
    ValueId y = b.op("Gather", {x, net.constant(name + "/index", Tensor::scalar(i))}, {attr("axis", 0)}, name);
    y = net.reshape(y, {tokens, Net::Item::computed(all), head_width}, name + "/heads");
    y = net.transpose(y, {1, 0, 2}, name + "/heads_first");
    part[i] = net.reshape(y, {n, heads, tokens, head_width}, name + "/unflatten");
  }
  x = scaled_attention(net, part[0], part[1], part[2], path + "/attention");
  x = net.transpose(x, {2, 0, 1, 3}, path + "/heads_last");
  const ValueId rows =
      b.op("Mul", {batch, net.constant(path + "/tokens", Tensor::scalar(tokens))}, {}, path + "/batch_tokens");
  x = net.reshape(x, {Net::Item::computed(rows), width}, path + "/joined");
  const ValueId weight = net.param(path + ".out_proj.weight", {width, width}, weight_init);
  const ValueId bias = net.param(path + ".out_proj.bias", {width}, Init::constant(0));
  x = b.op("Gemm", {x, weight, bias}, {attr("transB", 1)}, path + ".out_proj");
  x = net.reshape(x, {tokens, n, width}, path + "/unflatten_out");
  return net.transpose(x, {1, 0, 2}, path);
}

ValueId encoder_layer(Net& net, ValueId x, const std::string& path, std::int64_t tokens) {
  ValueId y = net.layer_norm(x, path + ".ln_1", width, 1e-6f);
  y = self_attention(net, y, path + ".self_attention", tokens);
  x = net.add(y, x, path + ".add1");
  y = net.layer_norm(x, path + ".ln_2", width, 1e-6f);
  y = net.gelu(net.dense(y, path + ".mlp.0", width, hidden, weight_init), path + ".mlp.1");
  y = net.dense(y, path + ".mlp.3", hidden, width, weight_init);
  return net.add(x, y, path + ".add2");
}

/// Patches in rows, a class token in front, positions added: batch x (1 + patches) x width.
ValueId embed(Net& net, ValueId image, std::int64_t patches) {
  graph::Builder& b = net.b;
  const auto n = Net::Item::computed(net.extent(image, 0, "batch"));
  ValueId x = net.conv(image, "conv_proj", 3, width,
                       {.kernel = patch, .stride = patch, .pad = 0, .bias = true, .gain = 1, .fan_out = false});
  x = net.transpose(net.reshape(x, {n, width, patches}, "flatten"), {0, 2, 1}, "patches");
  const ValueId token = net.param("class_token", {1, 1, width}, weight_init);
  const ValueId repeated = b.op("Expand", {token, net.shape({n, 1, 1}, "class_token/shape")}, {}, "class_token/expand");
  x = b.op("Concat", {repeated, x}, {attr("axis", 1)}, "tokens");
  return net.add(x, net.param("encoder.pos_embedding", {1, patches + 1, width}, weight_init), "encoder.add");
}

}  // namespace

void vision_transformer(Net& net, std::string_view) {
  const std::int64_t side = net.options().image_side / patch, patches = side * side;
  ValueId x = embed(net, net.image_input(), patches);
  for (std::int64_t i = 0; i < depth; ++i)
    x = encoder_layer(net, x, "encoder.layers.encoder_layer_" + std::to_string(i), patches + 1);
  x = net.layer_norm(x, "encoder.ln", width, 1e-6f);
  x = net.b.op("Gather", {x, net.constant("class/index", Tensor::scalar(std::int64_t{0}))}, {attr("axis", 1)}, "class");
  // The original's head starts at zero: all outputs would be dead.
  const ValueId weight = net.param("heads.head.weight", {1000, width}, weight_init);
  const ValueId bias = net.param("heads.head.bias", {1000}, Init::constant(0));
  x = net.b.op("Gemm", {x, weight, bias}, {attr("transB", 1)}, "heads.head");
  net.output(x, "output", {batch_dim, fixed(1000)});
}

}  // namespace coppice::zoo
