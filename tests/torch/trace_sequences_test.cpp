#include "trace_cases.hpp"

namespace coppice::test {
namespace {

using namespace torch::nn;
using In = const std::vector<at::Tensor>&;

struct Attend : torch::nn::Module {
  Attend() : attention(register_module("attention", MultiheadAttention(8, 2))) {}
  std::tuple<at::Tensor, at::Tensor> forward(const at::Tensor& x) { return attention(x, x, x); }
  MultiheadAttention attention;
};

// Queries of their own, keys to leave out, and a mask.
struct CrossAttend : torch::nn::Module {
  CrossAttend()
      : attention(register_module(
            "attention", MultiheadAttention(MultiheadAttentionOptions(8, 2).kdim(6).vdim(6).add_zero_attn(true)))) {}
  at::Tensor forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const at::Tensor padding = at::arange(5).ge(4).unsqueeze(0).expand({3, 5});
    const at::Tensor mask = at::full({4, 5}, -1.5).triu(1);
    return std::get<0>(attention(q, k, v, padding, false, mask));
  }
  MultiheadAttention attention;
};

TEST(TraceSequences, Attention) {
  at::manual_seed(7);
  check({
      {"self", Callable(std::make_shared<Attend>()), {random({5, 3, 8})}},
      {"cross", Callable(std::make_shared<CrossAttend>()), {random({4, 3, 8}), random({5, 3, 6}), random({5, 3, 6})}},
      {"encoder layer",
       TransformerEncoderLayer(TransformerEncoderLayerOptions(8, 2).dim_feedforward(12)),
       {random({5, 3, 8})}},
      {"encoder layer with gelu",
       TransformerEncoderLayer(TransformerEncoderLayerOptions(8, 2).dim_feedforward(12).activation(torch::kGELU)),
       {random({5, 3, 8})}},
      {"encoder",
       TransformerEncoder(TransformerEncoderOptions(
           TransformerEncoderLayer(TransformerEncoderLayerOptions(8, 2).dim_feedforward(12)), 2)),
       {random({5, 3, 8})}},
      {"decoder layer",
       TransformerDecoderLayer(TransformerDecoderLayerOptions(8, 2).dim_feedforward(12)),
       {random({4, 3, 8}), random({5, 3, 8})}},
      {"transformer",
       Transformer(TransformerOptions(8, 2, 1, 1).dim_feedforward(12)),
       {random({5, 3, 8}), random({4, 3, 8})}},
  });
}

TEST(TraceSequences, Recurrent) {
  at::manual_seed(8);
  const at::Tensor x = random({5, 3, 4});
  LSTM two_layers(LSTMOptions(4, 6).num_layers(2));
  check({
      {"lstm", LSTM(4, 6), {x}},
      {"lstm of two layers, both ways", LSTM(LSTMOptions(4, 6).num_layers(2).bidirectional(true)), {x}},
      {"lstm, batch first, no bias", LSTM(LSTMOptions(4, 6).batch_first(true).bias(false)), {x}},
      {"lstm with states",
       Callable(two_layers,
                [two_layers](In in) mutable {
                  std::vector<at::Tensor> out;
                  callable::flatten(two_layers(in[0], std::make_tuple(in[1], in[2])), out);
                  return out;
                }),
       {x, random({2, 3, 6}), random({2, 3, 6})}},
      {"projected lstm", LSTM(LSTMOptions(4, 6).proj_size(3)), {x}},
      {"projected lstm of two layers, both ways, no bias",
       LSTM(LSTMOptions(4, 6).num_layers(2).bidirectional(true).proj_size(3).bias(false)),
       {x}},
      {"gru", GRU(4, 6), {x}},
      {"gru of two layers, both ways", GRU(GRUOptions(4, 6).num_layers(2).bidirectional(true)), {x}},
      {"gru with a state", GRU(4, 6), {x, random({1, 3, 6})}},
      {"rnn", RNN(4, 6), {x}},
      {"rnn of relu, both ways", RNN(RNNOptions(4, 6).bidirectional(true).nonlinearity(torch::kReLU)), {x}},
      {"lstm cell", LSTMCell(4, 6), {random({3, 4})}},
      {"gru cell", GRUCell(4, 6), {random({3, 4}), random({3, 6})}},
      {"rnn cell", RNNCell(4, 6), {random({3, 4})}},
  });
}

// From what a projection gave, the state before it cannot be told, and ONNX's LSTM goes on from that.
TEST(TraceSequences, AProjectedStateThatIsGivenIsNotMapped) {
  LSTM lstm(LSTMOptions(4, 6).proj_size(3));
  const Callable module(lstm, [lstm](In in) mutable {
    return std::vector<at::Tensor>{std::get<0>(lstm(in[0], std::make_tuple(in[1], in[2])))};
  });
  const graph::Model model = trace(module, {random({5, 3, 4}), random({1, 3, 3}), random({1, 3, 6})});
  EXPECT_EQ(unmapped_operators(model), std::vector<std::string>{"aten.lstm \"lstm\""});
}

}  // namespace
}  // namespace coppice::test
