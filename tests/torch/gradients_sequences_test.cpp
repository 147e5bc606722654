#include <cmath>
#include <limits>

#include <torch/nn/functional/activation.h>

#include "plain_network.hpp"

namespace coppice::plain {
namespace {

TEST(Gradients, OfAPerceptron) {
  at::manual_seed(1);
  compare(zoo::build("mlp"), at::randn({4, 784}), [](const Plain& p, const Tensor& x) {
    return p.linear(at::relu(p.linear(at::relu(p.linear(x, "fc1")), "fc2")), "fc3");
  });
}

// Two of its twelve layers: the others are the same, and take memory.
graph::Model short_vision_transformer() {
  graph::Model model = zoo::build("vit_b_16", 1, {.image_side = 64, .lively = true});
  const std::string layers = "encoder.layers.encoder_layer_";
  const auto gone = [&](std::string_view name) {
    return name.substr(0, layers.size()) == layers && name.substr(layers.size(), 2) != "0." &&
           name.substr(layers.size(), 2) != "1." && name.substr(layers.size(), 2) != "0/" &&
           name.substr(layers.size(), 2) != "1/";
  };
  graph::Graph& graph = model.graph;
  const graph::ValueId end = graph.find(layers + "11.add2"), cut = graph.find(layers + "1.add2");
  std::erase_if(graph.nodes, [&](const graph::Node& node) { return gone(node.name); });
  std::erase_if(graph.initializers, [&](const auto& one) { return gone(graph.name_of(one.value)); });
  for (graph::Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), end, cut);
  graph.reindex();
  return model;
}

TEST(Gradients, OfTransformerLayers) {
  at::manual_seed(1);
  compare(short_vision_transformer(), at::randn({3, 3, 64, 64}), [](const Plain& p, const Tensor& image) {
    Tensor x = F::conv2d(image, p["conv_proj.weight"], F::Conv2dFuncOptions().bias(p["conv_proj.bias"]).stride(16));
    x = x.flatten(2).transpose(1, 2);
    x = at::cat({p["class_token"].expand({x.size(0), 1, x.size(2)}), x}, 1) + p["encoder.pos_embedding"];
    for (int i = 0; i < 2; ++i) {
      const std::string path = "encoder.layers.encoder_layer_" + std::to_string(i), own = path + ".self_attention";
      const Tensor rows = p.layer_norm(x, path + ".ln_1", 1e-6).transpose(0, 1);
      const auto options =
          F::MultiheadAttentionForwardFuncOptions(768, 12, p[own + ".in_proj_weight"], p[own + ".in_proj_bias"], {}, {},
                                                  false, 0, p[own + ".out_proj.weight"], p[own + ".out_proj.bias"]);
      x = x + std::get<0>(F::multi_head_attention_forward(rows, rows, rows, options)).transpose(0, 1);
      const Tensor hidden = F::gelu(p.linear(p.layer_norm(x, path + ".ln_2", 1e-6), path + ".mlp.0"));
      x = x + p.linear(hidden, path + ".mlp.3");
    }
    return p.linear(p.layer_norm(x, "encoder.ln", 1e-6).select(1, 0), "heads.head");
  });
}

// The upper triangle, without the diagonal: what a word must not see.
Tensor future(std::int64_t length, const at::TensorOptions& options) {
  return at::full({length, length}, -std::numeric_limits<double>::infinity(), options).triu(1);
}

TEST(Gradients, OfADecoderWithATiedHead) {
  at::manual_seed(1);
  const Tensor words = at::randint(0, 1000, {3, 9}, at::kLong);
  compare(zoo::build("gpt2_tiny", 1, {.lively = true}), words, [](const Plain& p, const Tensor& tokens) {
    const Tensor table = p["transformer.wte.weight"];
    const auto dense = [&](const Tensor& x, const std::string& path) {
      return F::linear(x, p[path + ".weight"].t(), p[path + ".bias"]);
    };
    const std::int64_t length = tokens.size(1);
    Tensor x = F::embedding(tokens, table) + p["transformer.wpe.weight"].narrow(0, 0, length);
    for (int i = 0; i < 4; ++i) {
      const std::string path = path_of("transformer.h", i), own = path + ".attn";
      const Tensor rows = p.layer_norm(x, path + ".ln_1", 1e-5).transpose(0, 1);
      const auto options =
          F::MultiheadAttentionForwardFuncOptions(128, 4, p[own + ".c_attn.weight"].t(), p[own + ".c_attn.bias"], {},
                                                  {}, false, 0, p[own + ".c_proj.weight"].t(), p[own + ".c_proj.bias"])
              .attn_mask(future(length, x.options()));
      x = x + std::get<0>(F::multi_head_attention_forward(rows, rows, rows, options)).transpose(0, 1);
      const Tensor hidden = dense(p.layer_norm(x, path + ".ln_2", 1e-5), path + ".mlp.c_fc");
      x = x + dense(at::gelu(hidden, "tanh"), path + ".mlp.c_proj");
    }
    return F::linear(p.layer_norm(x, "transformer.ln_f", 1e-5), table);
  });
}

// Turns pairs, an element of the first half with one of the second, as complex numbers: by position, slower from pair
// to pair. x is batch x heads x sequence x width.
Tensor turned(const Tensor& x) {
  const std::int64_t pairs = x.size(3) / 2;
  const Tensor speeds = at::pow(10000.0, -at::arange(pairs, at::kDouble) / static_cast<double>(pairs));
  const Tensor angles = at::outer(at::arange(x.size(2), at::kDouble), speeds).to(x.scalar_type());
  const Tensor z =
      at::complex(x.narrow(3, 0, pairs), x.narrow(3, pairs, pairs)) * at::polar(at::ones_like(angles), angles);
  return at::cat({at::real(z), at::imag(z)}, 3);
}

TEST(Gradients, OfADecoderWithRotationsAndGroupedQueries) {
  at::manual_seed(1);
  const Tensor words = at::randint(0, 4096, {3, 9}, at::kLong);
  compare(zoo::build("llama_tiny", 1, {.lively = true}), words, [](const Plain& p, const Tensor& tokens) {
    const auto norm = [&](const Tensor& x, const std::string& path) {
      return x * at::rsqrt(x.square().mean(-1, true) + 1e-5) * p[path + ".weight"];
    };
    Tensor x = F::embedding(tokens, p["model.embed_tokens.weight"]);
    for (int i = 0; i < 4; ++i) {
      const std::string path = path_of("model.layers", i), own = path + ".self_attn", mlp = path + ".mlp";
      Tensor y = norm(x, path + ".input_layernorm");
      const auto heads = [&](const char* which) {
        return p.linear(y, own + which).unflatten(2, {-1, 32}).transpose(1, 2);
      };
      // Four query heads share a key head.
      const Tensor q = turned(heads(".q_proj")), k = turned(heads(".k_proj")).repeat_interleave(4, 1),
                   v = heads(".v_proj").repeat_interleave(4, 1);
      const Tensor scores = at::einsum("bhqd,bhkd->bhqk", {q, k}) / std::sqrt(32.0) + future(y.size(1), y.options());
      x = x + p.linear(at::matmul(at::softmax(scores, -1), v).transpose(1, 2).flatten(2), own + ".o_proj");
      y = norm(x, path + ".post_attention_layernorm");
      x = x + p.linear(F::silu(p.linear(y, mlp + ".gate_proj")) * p.linear(y, mlp + ".up_proj"), mlp + ".down_proj");
    }
    return p.linear(norm(x, "model.norm"), "lm_head");
  });
}

// ONNX's order of gates (input, output, forget, cell) in torch's (input, forget, cell, output).
Tensor regated(const Tensor& rows) {
  const auto parts = rows.chunk(4, 0);
  return at::cat({parts[0], parts[2], parts[3], parts[1]});
}

TEST(Gradients, OfRecurrentLayers) {
  at::manual_seed(1);
  const Tensor words = at::randint(0, 10000, {3, 7}, at::kLong);
  compare(zoo::build("lstm_tagger", 1), words, [](const Plain& p, const Tensor& tokens) {
    Tensor x = F::embedding(tokens, p["embedding.weight"]);
    for (int layer = 0; layer < 2; ++layer) {
      const std::string path = path_of("lstm", layer);
      std::vector<Tensor> weights;
      for (int d = 0; d < 2; ++d) {
        const auto biases = p[path + ".B"][d].chunk(2, 0);
        for (const Tensor& rows : {p[path + ".W"][d], p[path + ".R"][d], biases[0], biases[1]})
          weights.push_back(regated(rows));
      }
      const Tensor state = at::zeros({2, x.size(0), 128});
      x = std::get<0>(at::lstm(x, {state, state}, weights, true, 1, 0, false, true, true));
    }
    return p.linear(x, "head");
  });
}

}  // namespace
}  // namespace coppice::plain
