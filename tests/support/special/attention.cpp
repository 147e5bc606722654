#include "support/special_graphs.hpp"

// Attention as one operator: the standard's, and those of ONNX Runtime.
namespace coppice::test {
namespace {

constexpr std::int64_t frames = 6;

Feature stem(Maker& m, std::int64_t channels) {
  return m.linear(m.input("frames", {2, frames, 7}), channels);
}

// A residual around the attention, so that the stream has a reader of its own.
void finish(Maker& m, const Feature& x, const Feature& mixed) {
  m.output(m.linear(m.map("Add", x, {m.linear(mixed, 12)}), 5), "logits");
}

Feature contrib(Maker& m, std::string_view type, std::vector<ValueId> inputs, Shape shape,
                std::vector<Attribute> attributes) {
  Feature out = m.op(type, std::move(inputs), std::move(shape), std::move(attributes));
  m.builder.graph().nodes.back().domain = "com.microsoft";
  return out;
}

// Two key heads serve four query heads; value heads have a size of their own.
void attention_rows(Maker& m) {
  const Feature x = stem(m, 12);
  const Feature q = m.linear(x, 4 * 4), k = m.linear(x, 2 * 4), v = m.linear(x, 2 * 6);
  finish(m, x,
         m.op("Attention", {q, k, v}, {2, frames, 4 * 6},
              {graph::attr("q_num_heads", 4), graph::attr("kv_num_heads", 2), graph::attr("is_causal", 1)}));
}

void attention_heads(Maker& m) {
  const Feature x = stem(m, 12);
  const auto split = [&](const Feature& y, std::int64_t heads, std::int64_t size) {
    return m.transpose(m.reshape(y, {2, frames, heads, size}), {0, 2, 1, 3});
  };
  const Feature q = split(m.linear(x, 4 * 4, false), 4, 4), k = split(m.linear(x, 4 * 4, false), 4, 4);
  const Feature v = split(m.linear(x, 4 * 4), 4, 4);
  const Feature y = m.op("Attention", {q, k, v, m.values("mask", {4, frames, frames}, 1)}, {2, 4, frames, 4});
  finish(m, x, m.reshape(m.transpose(y, {0, 2, 1, 3}), {2, frames, 4 * 4}));
}

// One key head for all query heads: those may go one by one.
void attention_one_key(Maker& m) {
  const Feature x = stem(m, 12);
  const Feature q = m.linear(x, 4 * 4), k = m.linear(x, 4), v = m.linear(x, 4);
  finish(m, x,
         m.op("Attention", {q, k, v}, {2, frames, 4 * 4},
              {graph::attr("q_num_heads", 4), graph::attr("kv_num_heads", 1)}));
}

void rotary_embedding(Maker& m) {
  const Feature x = stem(m, 12);
  const ValueId cosine = m.values("cosine", {2, frames, 2}, 0.5, 0.5), sine = m.values("sine", {2, frames, 2}, 0.5);
  const auto turned = [&](std::int64_t heads) {
    return m.map("RotaryEmbedding", m.linear(x, heads * 4), {cosine, sine},
                 {graph::attr("num_heads", static_cast<int>(heads))});
  };
  finish(m, x,
         m.op("Attention", {turned(4), turned(4), m.linear(x, 4 * 4)}, {2, frames, 4 * 4},
              {graph::attr("q_num_heads", 4), graph::attr("kv_num_heads", 4)}));
}

void multi_head_attention(Maker& m) {
  const Feature x = stem(m, 12);
  const Feature q = m.linear(x, 4 * 4, false), k = m.linear(x, 4 * 4, false), v = m.linear(x, 4 * 6, false);
  finish(m, x,
         contrib(m, "MultiHeadAttention", {q, k, v, m.bias({4 * 4 + 4 * 4 + 4 * 6})}, {2, frames, 4 * 6},
                 {graph::attr("num_heads", 4)}));
}

void projected_attention(Maker& m) {
  const Feature x = stem(m, 12);
  finish(m, x,
         contrib(m, "Attention", {x, m.weight({12, 3 * 16}, 12), m.bias({3 * 16})}, {2, frames, 16},
                 {graph::attr("num_heads", 4)}));
}

void projected_attention_with_sizes(Maker& m) {
  const Feature x = stem(m, 12);
  finish(m, x,
         contrib(m, "Attention", {x, m.weight({12, 16 + 16 + 24}, 12), m.bias({16 + 16 + 24})}, {2, frames, 24},
                 {graph::attr("num_heads", 4), ints("qkv_hidden_sizes", {16, 16, 24})}));
}

void grouped_query(Maker& m) {
  const Feature x = stem(m, 12);
  const Feature q = m.linear(x, 4 * 8), k = m.linear(x, 2 * 8), v = m.linear(x, 2 * 8);
  const auto whole = [&](std::string_view name, Shape shape, std::vector<std::int64_t> values) {
    return m.builder.initializer(name, tensor::from_ints(DType::int32, std::move(shape), values));
  };
  const ValueId last = whole("last", {2}, {frames - 1, frames - 1}), steps = whole("steps", {}, {frames});
  const Feature y = contrib(m, "GroupQueryAttention", {q, k, v, graph::no_value, graph::no_value, last, steps},
                            {2, frames, 4 * 8}, {graph::attr("num_heads", 4), graph::attr("kv_num_heads", 2)});
  // The runtime wants a place for the keys and values of later steps.
  graph::Node& node = m.builder.graph().nodes.back();
  for (const char* name : {"keys", "values"}) {
    node.outputs.push_back(m.builder.graph().fresh(name));
    m.builder.graph().values[static_cast<std::size_t>(node.outputs.back())].producer =
        static_cast<std::int32_t>(m.builder.graph().nodes.size() - 1);
  }
  finish(m, x, y);
}

constexpr SpecialGraph graphs[] = {
    {"attention_rows", attention_rows, 23},
    {"attention_heads", attention_heads, 23},
    {"attention_one_key", attention_one_key, 23},
    {"rotary_embedding", rotary_embedding, 23},
    {"grouped_query", grouped_query},
    {"multi_head_attention", multi_head_attention},
    {"projected_attention", projected_attention},
    {"projected_attention_with_sizes", projected_attention_with_sizes},
};

}  // namespace

std::span<const SpecialGraph> special_attention() {
  return graphs;
}

}  // namespace coppice::test
