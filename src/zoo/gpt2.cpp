#include <cmath>
#include <limits>

#include "families.hpp"

namespace coppice::zoo {
namespace {

struct Form {
  std::int64_t width, layers, heads, vocabulary, positions;
  /// 0.02 at the original's width; narrower layers sum fewer terms and start wider.
  Init init() const { return Init::normal(0.02 * std::sqrt(768.0 / static_cast<double>(width))); }
};

/// A layer whose weight is `in x out`, as the original stores it.
ValueId conv1d(Net& net, ValueId x, const std::string& path, std::int64_t in, std::int64_t out, const Form& form) {
  const ValueId product = net.b.op("MatMul", {x, net.param(path + ".weight", {in, out}, form.init())}, {}, path);
  return net.add(product, net.param(path + ".bias", {out}, Init::constant(0)), path + "/bias");
}

/// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
ValueId gelu_tanh(Net& net, ValueId x, const std::string& path) {
  graph::Builder& b = net.b;
  const auto number = [&](const std::string& what, float value) { return net.constant(path + "/" + what, value); };
  const ValueId half = b.op("Mul", {number("half", 0.5f), x}, {}, path + "/halved");
  ValueId y = b.op("Pow", {x, number("three", 3.0f)}, {}, path + "/cube");
  y = b.op("Mul", {number("cubic", 0.044715f), y}, {}, path + "/cubic_term");
  y = b.op("Mul", {number("slope", 0.7978846f), b.op("Add", {x, y}, {}, path + "/sum")}, {}, path + "/argument");
  y = b.op("Add", {number("one", 1.0f), b.op("Tanh", {y}, {}, path + "/tanh")}, {}, path + "/shifted");
  return b.op("Mul", {half, y}, {}, path);
}

struct Sizes {
  Net::Item batch, sequence;
  ValueId mask;  ///< sequence x sequence: may row see column?
};

ValueId attention(Net& net, ValueId x, const std::string& path, const Sizes& sizes, const Form& form) {
  graph::Builder& b = net.b;
  const std::int64_t head_width = form.width / form.heads;
  x = conv1d(net, x, path + ".c_attn", form.width, 3 * form.width, form);
  const ValueId thirds = net.constant(path + "/split/sizes", std::vector<std::int64_t>(3, form.width));
  const std::vector<ValueId> qkv = b.op_multi("Split", {x, thirds}, 3, {attr("axis", 2)}, path + "/split");
  const auto heads = [&](int i, std::vector<std::int64_t> perm) {
    const std::string name = path + "/" + "qkv"[i];
    const ValueId split = net.reshape(qkv[static_cast<std::size_t>(i)],
                                      {sizes.batch, sizes.sequence, form.heads, head_width}, name + "/heads");
    return net.transpose(split, std::move(perm), name);
  };
  const ValueId q = heads(0, {0, 2, 1, 3}), k = heads(1, {0, 2, 3, 1}), v = heads(2, {0, 2, 1, 3});
  ValueId scores = b.op("MatMul", {q, k}, {}, path + "/scores");
  const auto scale = std::sqrt(static_cast<float>(head_width));
  scores = b.op("Div", {scores, net.constant(path + "/scale", scale)}, {}, path + "/scaled");
  const ValueId lowest = net.constant(path + "/lowest", std::numeric_limits<float>::lowest());
  scores = b.op("Where", {sizes.mask, scores, lowest}, {}, path + "/masked");
  x = b.op("MatMul", {b.op("Softmax", {scores}, {attr("axis", -1)}, path + "/softmax"), v}, {}, path + "/mixed");
  x = net.transpose(x, {0, 2, 1, 3}, path + "/heads_last");
  x = net.reshape(x, {sizes.batch, sizes.sequence, form.width}, path + "/joined");
  return conv1d(net, x, path + ".c_proj", form.width, form.width, form);
}

ValueId block(Net& net, ValueId x, const std::string& path, const Sizes& sizes, const Form& form) {
  ValueId y = attention(net, net.layer_norm(x, path + ".ln_1", form.width), path + ".attn", sizes, form);
  x = net.add(y, x, path + ".add1");
  y = conv1d(net, net.layer_norm(x, path + ".ln_2", form.width), path + ".mlp.c_fc", form.width, 4 * form.width, form);
  y = gelu_tanh(net, y, path + ".mlp.act");
  y = conv1d(net, y, path + ".mlp.c_proj", 4 * form.width, form.width, form);
  return net.add(x, y, path + ".add2");
}

}  // namespace

void gpt2(Net& net, std::string_view variant) {
  const Form form = variant == "gpt2_small" ? Form{768, 12, 12, 50257, 1024} : Form{128, 4, 4, 1000, 128};
  graph::Builder& b = net.b;
  const ValueId tokens = net.token_input();
  const ValueId length = net.extent(tokens, 1, "sequence");
  const ValueId zero = net.constant("zero", Tensor::scalar(std::int64_t{0}));
  const ValueId one = net.constant("one", Tensor::scalar(std::int64_t{1}));
  const ValueId positions = b.op("Range", {zero, length, one}, {}, "positions");
  const auto axis = [&](const std::string& name, std::int64_t i) {
    return b.op("Unsqueeze", {positions, net.constant(name + "/axes", std::vector<std::int64_t>{i})}, {}, name);
  };
  const ValueId mask = b.op("LessOrEqual", {axis("positions/row", 0), axis("positions/column", 1)}, {}, "mask");
  const Sizes sizes{Net::Item::computed(net.extent(tokens, 0, "batch")), Net::Item::computed(length), mask};

  const ValueId embedding = net.param("transformer.wte.weight", {form.vocabulary, form.width}, form.init());
  const ValueId places = net.param("transformer.wpe.weight", {form.positions, form.width}, form.init());
  ValueId x = net.add(b.op("Gather", {embedding, tokens}, {attr("axis", 0)}, "transformer.wte"),
                      b.op("Gather", {places, positions}, {attr("axis", 0)}, "transformer.wpe"), "transformer.add");
  for (std::int64_t i = 0; i < form.layers; ++i) x = block(net, x, "transformer.h." + std::to_string(i), sizes, form);
  x = net.layer_norm(x, "transformer.ln_f", form.width);
  x = b.op("MatMul", {x, net.transpose(embedding, {1, 0}, "lm_head/weight_t")}, {}, "lm_head");
  net.output(x, "logits", {batch_dim, sequence_dim, fixed(form.vocabulary)});
}

}  // namespace coppice::zoo
