#include <cmath>
#include <limits>

#include "families.hpp"

namespace coppice::zoo {
namespace {

using Ints = std::vector<std::int64_t>;

struct Form {
  std::int64_t width, layers, heads, kv_heads, hidden, vocabulary, positions;
  std::int64_t head_width() const { return width / heads; }
  /// 0.02 at a width of 768; narrower layers sum fewer terms and start wider.
  Init init() const { return Init::normal(0.02 * std::sqrt(768.0 / static_cast<double>(width))); }
};

/// What all layers share.
struct Context {
  Net::Item batch, sequence;
  ValueId cosine, sine;  ///< sequence x head_width
  ValueId mask;          ///< sequence x sequence: zero, or the lowest number above the diagonal
};

/// Root mean square norm (Zhang and Sennrich 2019), in the operators that exporters write.
ValueId rms_norm(Net& net, ValueId x, const std::string& path, std::int64_t width) {
  graph::Builder& b = net.b;
  ValueId y = b.op("Pow", {x, net.constant(path + "/two", 2.0f)}, {}, path + "/square");
  y = b.op("ReduceMean", {y}, {attr("axes", Ints{-1})}, path + "/mean");
  y = b.op("Sqrt", {b.op("Add", {y, net.constant(path + "/epsilon", 1e-5f)}, {}, path + "/shifted")}, {},
           path + "/root");
  y = b.op("Div", {net.constant(path + "/one", 1.0f), y}, {}, path + "/inverse");
  y = b.op("Mul", {x, y}, {}, path + "/normalised");
  return b.op("Mul", {net.param(path + ".weight", {width}, Init::constant(1)), y}, {}, path);
}

/// Rotary position embedding (Su et al. 2021) with the halves of a head as pairs.
ValueId rotate(Net& net, ValueId x, const std::string& path, const Context& context, std::int64_t head_width) {
  graph::Builder& b = net.b;
  const ValueId axis = net.constant(path + "/axis", Ints{-1}),
                middle = net.constant(path + "/middle", Ints{head_width / 2});
  const ValueId first = b.op("Slice", {x, net.constant(path + "/start", Ints{0}), middle, axis}, {}, path + "/first");
  const ValueId second =
      b.op("Slice", {x, middle, net.constant(path + "/end", Ints{INT64_MAX}), axis}, {}, path + "/second");
  const ValueId turned =
      b.op("Concat", {b.op("Neg", {second}, {}, path + "/negated"), first}, {attr("axis", -1)}, path + "/turned");
  return net.add(b.op("Mul", {x, context.cosine}, {}, path + "/cosine"),
                 b.op("Mul", {turned, context.sine}, {}, path + "/sine"), path);
}

/// Every key or value head serves several query heads.
ValueId repeat_heads(Net& net, ValueId x, const std::string& path, const Context& context, const Form& form) {
  const std::int64_t times = form.heads / form.kv_heads, size = form.head_width();
  if (times == 1) return x;
  x = net.b.op("Unsqueeze", {x, net.constant(path + "/axes", Ints{2})}, {}, path + "/unsqueeze");
  const ValueId target =
      net.shape({context.batch, form.kv_heads, times, context.sequence, size}, path + "/expand/shape");
  x = net.b.op("Expand", {x, target}, {}, path + "/expand");
  return net.reshape(x, {context.batch, form.heads, context.sequence, size}, path);
}

ValueId attention(Net& net, ValueId x, const std::string& path, const Context& context, const Form& form) {
  graph::Builder& b = net.b;
  const std::int64_t size = form.head_width();
  const auto project = [&](const std::string& what, std::int64_t heads) {
    ValueId y = net.dense(x, path + "." + what + "_proj", form.width, heads * size, form.init(), false);
    y = net.reshape(y, {context.batch, context.sequence, heads, size}, path + "/" + what + "/heads");
    return net.transpose(y, {0, 2, 1, 3}, path + "/" + what);
  };
  const ValueId q = rotate(net, project("q", form.heads), path + "/q/rotated", context, size);
  ValueId k = rotate(net, project("k", form.kv_heads), path + "/k/rotated", context, size);
  const ValueId v = repeat_heads(net, project("v", form.kv_heads), path + "/v/repeated", context, form);
  k = net.transpose(repeat_heads(net, k, path + "/k/repeated", context, form), {0, 1, 3, 2}, path + "/k_t");
  ValueId scores = b.op("MatMul", {q, k}, {}, path + "/scores");
  const auto scale = std::sqrt(static_cast<float>(size));
  scores = b.op("Div", {scores, net.constant(path + "/scale", scale)}, {}, path + "/scaled");
  scores = b.op("Add", {scores, context.mask}, {}, path + "/masked");
  ValueId y =
      b.op("MatMul", {b.op("Softmax", {scores}, {attr("axis", -1)}, path + "/softmax"), v}, {}, path + "/mixed");
  y = net.transpose(y, {0, 2, 1, 3}, path + "/heads_last");
  y = net.reshape(y, {context.batch, context.sequence, form.width}, path + "/joined");
  return net.dense(y, path + ".o_proj", form.width, form.width, form.init(), false);
}

/// down(silu(gate(x)) * up(x)) (Shazeer 2020)
ValueId swiglu(Net& net, ValueId x, const std::string& path, const Form& form) {
  const ValueId gate =
      net.silu(net.dense(x, path + ".gate_proj", form.width, form.hidden, form.init(), false), path + ".act_fn");
  const ValueId up = net.dense(x, path + ".up_proj", form.width, form.hidden, form.init(), false);
  return net.dense(net.b.op("Mul", {gate, up}, {}, path + "/gated"), path + ".down_proj", form.hidden, form.width,
                   form.init(), false);
}

/// positions x head_width, the first `sequence` rows of it.
ValueId table(Net& net, const std::string& name, double (*function)(double), ValueId length, const Form& form) {
  const std::int64_t half = form.head_width() / 2;
  std::vector<float> values;
  for (std::int64_t position = 0; position < form.positions; ++position) {
    for (std::int64_t i = 0; i < 2 * half; ++i) {
      const double exponent = static_cast<double>(i % half) / static_cast<double>(half);
      values.push_back(static_cast<float>(function(static_cast<double>(position) * std::pow(10000.0, -exponent))));
    }
  }
  const ValueId whole =
      net.constant(name + "/table", Tensor::of<float>(DType::float32, {form.positions, 2 * half}, values));
  const ValueId end = net.shape({Net::Item::computed(length)}, name + "/end");
  return net.b.op("Slice", {whole, net.constant(name + "/start", Ints{0}), end, net.constant(name + "/axes", Ints{0})},
                  {}, name);
}

Form form_of(std::string_view variant) {
  if (variant == "llama_160m") return {768, 12, 12, 12, 3072, 32000, 2048};
  return {256, 4, 8, 2, 688, 4096, 256};
}

}  // namespace

void llama(Net& net, std::string_view variant) {
  const Form form = form_of(variant);
  graph::Builder& b = net.b;
  const ValueId tokens = net.token_input();
  const ValueId length = net.extent(tokens, 1, "sequence");
  const auto sequence = Net::Item::computed(length);
  const float lowest = std::numeric_limits<float>::lowest();
  const ValueId filled =
      b.op("ConstantOfShape", {net.shape({sequence, sequence}, "mask/shape")},
           {attr("value", Tensor::of<float>(DType::float32, {1}, std::span(&lowest, 1)))}, "mask/filled");
  const ValueId above = net.constant("mask/above", Tensor::scalar(std::int64_t{1}));
  const Context context{
      Net::Item::computed(net.extent(tokens, 0, "batch")), sequence, table(net, "rotary.cos", std::cos, length, form),
      table(net, "rotary.sin", std::sin, length, form), b.op("Trilu", {filled, above}, {attr("upper", 1)}, "mask")};

  const ValueId embedding = net.param("model.embed_tokens.weight", {form.vocabulary, form.width}, Init::normal(1));
  ValueId x = b.op("Gather", {embedding, tokens}, {attr("axis", 0)}, "model.embed_tokens");
  for (std::int64_t i = 0; i < form.layers; ++i) {
    const std::string path = "model.layers." + std::to_string(i);
    ValueId y = rms_norm(net, x, path + ".input_layernorm", form.width);
    x = net.add(x, attention(net, y, path + ".self_attn", context, form), path + ".add1");
    y = rms_norm(net, x, path + ".post_attention_layernorm", form.width);
    x = net.add(x, swiglu(net, y, path + ".mlp", form), path + ".add2");
  }
  x = rms_norm(net, x, "model.norm", form.width);
  x = net.dense(x, "lm_head", form.width, form.vocabulary, form.init(), false);
  net.output(x, "logits", {batch_dim, sequence_dim, fixed(form.vocabulary)});
}

}  // namespace coppice::zoo
