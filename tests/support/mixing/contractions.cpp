#include "support/mixing/common.hpp"
#include "support/mixing_graphs.hpp"

namespace coppice::test {
namespace {

using coupling::Mixing;

// Two projections of the frames, each through a function, multiplied over their features.
template <auto product>
void of_two(Maker& m, std::string_view left, std::string_view right) {
  const Feature x = shared_input(m);
  const auto side = [&](std::string_view function) { return m.map(function, m.linear(x, 12)); };
  const Feature a = side(left), b = side(right);
  m.output(product(m, a, b), "scores");
}
Feature matmul(Maker& m, const Feature& a, const Feature& b) {
  return m.matmul(a, m.transpose(b, {0, 2, 1}));
}
Feature einsum(Maker& m, const Feature& a, const Feature& b) {
  return m.op("Einsum", {a, b}, {2, frames, frames}, {text("equation", "bqc,bkc->bqk")});
}

void both_zero(Maker& m) {
  of_two<matmul>(m, "Relu", "Tanh");
}
void one_zero(Maker& m) {
  of_two<matmul>(m, "Sigmoid", "Tanh");
}
void none_zero(Maker& m) {
  of_two<matmul>(m, "Sigmoid", "Exp");
}
void einsum_one_zero(Maker& m) {
  of_two<einsum>(m, "Tanh", "Sigmoid");
}
void einsum_none_zero(Maker& m) {
  of_two<einsum>(m, "Cos", "Sigmoid");
}

// The weight's rows are zero, so anything finite may stand in front of it.
void sigmoid_to_a_weight(Maker& m) {
  head(m, m.map("Sigmoid", features(m)));
}
// Zero times infinity is no number.
void logarithm_to_a_weight(Maker& m) {
  head(m, m.map("Log", m.map("Abs", features(m))));
}
void reciprocal_to_a_weight(Maker& m) {
  head(m, m.map("Reciprocal", m.map("Exp", features(m))));
}
void sigmoid_to_a_convolution(Maker& m) {
  const Feature y = m.map("Sigmoid", m.conv(m.input("image", {1, 3, 8, 8}), 12));
  m.output(m.conv(y, 5), "logits");
}
void logarithm_to_a_convolution(Maker& m) {
  const Feature y = m.map("Log", m.map("Abs", m.conv(m.input("image", {1, 3, 8, 8}), 12)));
  m.output(m.conv(y, 5), "logits");
}
void sigmoid_to_a_recurrent_weight(Maker& m) {
  const Feature steps = m.transpose(m.map("Sigmoid", features(m)), {1, 0, 2});
  const Feature all = m.op("RNN", {steps, m.weight({1, 4, 12}, 12), m.weight({1, 4, 4}, 4)}, {frames, 1, 2, 4},
                           {graph::attr("hidden_size", 4)});
  head(m, m.squeeze(all, {1}));
}

}  // namespace

std::vector<MixingGraph> mixing_contractions() {
  const Leak matmul{"MatMul", Mixing::contraction}, conv{"Conv", Mixing::contraction},
      einsum{"Einsum", Mixing::contraction};
  return {
      {"product_both_zero", Mixing::contraction, both_zero},
      {"product_one_zero", Mixing::contraction, one_zero},
      {"product_none_zero", Mixing::contraction, none_zero, {matmul}},
      {"einsum_one_zero", Mixing::contraction, einsum_one_zero},
      {"einsum_none_zero", Mixing::contraction, einsum_none_zero, {einsum}},
      {"sigmoid_to_a_weight", Mixing::contraction, sigmoid_to_a_weight},
      {"logarithm_to_a_weight", Mixing::contraction, logarithm_to_a_weight, {matmul}},
      {"reciprocal_to_a_weight", Mixing::contraction, reciprocal_to_a_weight},
      {"sigmoid_to_a_convolution", Mixing::contraction, sigmoid_to_a_convolution},
      {"logarithm_to_a_convolution", Mixing::contraction, logarithm_to_a_convolution, {conv}},
      {"sigmoid_to_a_recurrent_weight", Mixing::contraction, sigmoid_to_a_recurrent_weight},
  };
}

}  // namespace coppice::test
