#include "support/mixing/common.hpp"
#include "support/mixing_graphs.hpp"

namespace coppice::test {
namespace {

using coupling::Mixing;

Feature layer_norm(Maker& m, const Feature& x) {
  return m.map("LayerNormalization", x, {m.positive("gamma", {12}), m.bias({12})}, {graph::attr("axis", -1)});
}
void layer_norm_to_a_weight(Maker& m) {
  head(m, layer_norm(m, features(m)));
}
// gamma and beta make its result zero, though its statistics are off: one leak, not two.
void layer_norm_to_a_sum(Maker& m) {
  sum_features(m, layer_norm(m, features(m)));
}
void root_mean_square(Maker& m) {
  head(m, m.map("SimplifiedLayerNormalization", features(m), {m.positive("gamma", {12})}, {graph::attr("axis", -1)}));
}

// The sum of both operands and a bias is a result of its own, of which gamma and beta say nothing.
void skip(Maker& m, std::string_view op, std::string_view function, std::vector<ValueId> parameters) {
  const Feature x = shared_input(m);
  const Feature a = m.map(function, m.linear(x, 12)), b = m.map("Tanh", m.linear(x, 12));
  parameters.insert(parameters.begin(), {a, b});
  const auto results = m.builder.op_multi(op, std::move(parameters), 4);
  graph::Node& node = m.builder.graph().nodes.back();
  node.domain = "com.microsoft";
  node.outputs[1] = node.outputs[2] = graph::no_value;
  m.output(m.reduce("ReduceSum", Feature{results[3], a.shape}, {2}, false), "sums");
  head(m, Feature{results[0], a.shape});
}
void skip_layer_norm(Maker& m) {
  skip(m, "SkipLayerNormalization", "Relu", {m.positive("gamma", {12}), m.bias({12}), m.bias({12})});
}
void skip_layer_norm_of_sigmoid(Maker& m) {
  skip(m, "SkipLayerNormalization", "Sigmoid", {m.positive("gamma", {12}), m.bias({12}), m.bias({12})});
}
void skip_root_mean_square(Maker& m) {
  skip(m, "SkipSimplifiedLayerNormalization", "Relu", {m.positive("gamma", {12}), m.bias({12})});
}

Feature channels(Maker& m) {
  return m.conv(m.input("image", {1, 3, 8, 8}), 16);
}
void instance_norm(Maker& m) {
  const Feature y = m.map("InstanceNormalization", channels(m), {m.positive("gamma", {16}), m.bias({16})});
  m.output(m.reduce("ReduceSum", y, {1}, false), "sums");
}
// Whole groups go, so that the statistics of the others see nothing of it.
void group_norm(Maker& m) {
  const Feature y = m.map("GroupNormalization", channels(m), {m.positive("gamma", {16}), m.bias({16})},
                          {graph::attr("num_groups", 4)});
  m.output(m.conv(y, 5), "logits");
}

Feature mean_variance(Maker& m, const Feature& x, std::vector<std::int64_t> axes) {
  return m.map("MeanVarianceNormalization", x, {}, {ints("axes", std::move(axes))});
}
void mean_variance_over_pixels(Maker& m) {
  m.output(m.reduce("ReduceSum", mean_variance(m, channels(m), {0, 2, 3}), {1}, false), "sums");
}
// Without gamma the removed channels come out as minus the mean: the sum must not see them either.
void mean_variance_over_channels(Maker& m) {
  const Feature y = mean_variance(m, m.map("Relu", channels(m)), {1, 2, 3});
  m.output(m.reduce("ReduceSumSquare", y, {1}, false), "squares");
}

}  // namespace

std::vector<MixingGraph> mixing_statistics() {
  const auto of = [](std::string_view op) { return Leak{op, Mixing::statistics}; };
  const coupling::Options parts{.attention = coupling::Attention::head_dim};
  return {
      {"layer_norm_to_a_weight", Mixing::statistics, layer_norm_to_a_weight, {of("LayerNormalization")}},
      {"layer_norm_to_a_sum", Mixing::statistics, layer_norm_to_a_sum, {of("LayerNormalization")}},
      {"root_mean_square", Mixing::statistics, root_mean_square, {of("SimplifiedLayerNormalization")}},
      {"skip_layer_norm", Mixing::statistics, skip_layer_norm, {of("SkipLayerNormalization")}},
      {"skip_layer_norm_of_sigmoid",
       Mixing::statistics,
       skip_layer_norm_of_sigmoid,
       {of("SkipLayerNormalization"), {"ReduceSum", Mixing::sum}}},
      {"skip_root_mean_square", Mixing::statistics, skip_root_mean_square, {of("SkipSimplifiedLayerNormalization")}},
      {"instance_norm", Mixing::statistics, instance_norm},
      {"group_norm_by_groups", Mixing::statistics, group_norm, {}, Felt::yes, 21},
      {"group_norm_within_groups",
       Mixing::statistics,
       group_norm,
       {of("GroupNormalization")},
       Felt::yes,
       21,
       false,
       parts},
      {"mean_variance_over_pixels", Mixing::statistics, mean_variance_over_pixels, {{"ReduceSum", Mixing::sum}}},
      {"mean_variance_over_channels",
       Mixing::statistics,
       mean_variance_over_channels,
       {of("MeanVarianceNormalization"), {"ReduceSumSquare", Mixing::sum}}},
  };
}

}  // namespace coppice::test
