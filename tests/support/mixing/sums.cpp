#include "support/mixing/common.hpp"
#include "support/mixing_graphs.hpp"

namespace coppice::test {
namespace {

using coupling::Mixing;

template <auto function>
void sum_of(Maker& m) {
  sum_features(m, function(m, features(m)));
}

// A named operator and a reduction over its features.
struct Names {
  std::string_view function, reduction;
};
constexpr Names relu_sum{"Relu", "ReduceSum"}, sigmoid_sum{"Sigmoid", "ReduceSum"}, tanh_l1{"Tanh", "ReduceL1"},
    cos_l1{"Cos", "ReduceL1"}, elu_l2{"Elu", "ReduceL2"}, softplus_l2{"Softplus", "ReduceL2"},
    sin_square{"Sin", "ReduceSumSquare"}, exp_square{"Exp", "ReduceSumSquare"}, abs_log{"Abs", "ReduceLogSum"},
    exp_log{"Exp", "ReduceLogSum"};

template <const Names& names>
void reduced(Maker& m) {
  m.output(m.reduce(names.reduction, m.map(names.function, features(m)), {2}, false), "sums");
}

Feature plus_one(Maker& m, const Feature& x) {
  return m.map("Add", x, {m.scalar(1)});
}
Feature plus_vector(Maker& m, const Feature& x) {
  return m.map("Add", x, {m.bias({12})});
}
Feature gated(Maker& m, const Feature& x) {
  return m.map("Mul", m.map("Sigmoid", x), {m.map("Tanh", x)});
}
Feature sum_with_sigmoid(Maker& m, const Feature& x) {
  return m.map("Add", m.map("Sigmoid", x), {m.map("Tanh", x)});
}
Feature squared(Maker& m, const Feature& x) {
  return m.map("Pow", x, {m.scalar(2)});
}
Feature to_the_zeroth(Maker& m, const Feature& x) {
  return m.map("Mul", m.map("Pow", m.map("Abs", x), {m.scalar(0)}), {m.map("Exp", x)});
}
Feature clipped_at_zero(Maker& m, const Feature& x) {
  return m.map("Clip", x, {m.scalar(0), m.scalar(6)});
}
Feature clipped_above_zero(Maker& m, const Feature& x) {
  return m.map("Clip", x, {m.scalar(0.5f), m.scalar(6)});
}
// A divisor is no place for zeroes: it keeps its numbers, and the dividend is zero.
Feature divided_by_a_parameter(Maker& m, const Feature& x) {
  return m.map("Div", x, {m.positive("divisor", {12})});
}
// 0 / 0 is no number.
Feature divided_by_itself(Maker& m, const Feature& x) {
  return m.map("Div", m.map("Tanh", x), {m.map("Abs", x)});
}
Feature logarithm(Maker& m, const Feature& x) {
  return m.map("Log", m.map("Abs", x));
}
Feature softmax_over_frames(Maker& m, const Feature& x) {
  return m.map("Softmax", x, {}, {graph::attr("axis", 1)});
}
Feature padded(Maker& m, const Feature& x, float value) {
  return m.op("Pad", {x, m.builder.ints({0, 1, 0, 0, 1, 0}), m.scalar(value)}, {2, frames + 2, 12});
}
Feature padded_with_zero(Maker& m, const Feature& x) {
  return padded(m, x, 0);
}
Feature padded_with_one(Maker& m, const Feature& x) {
  return padded(m, x, 1);
}
Feature chosen(Maker& m, const Feature& x, const Feature& other) {
  const ValueId positive = m.builder.op("Greater", {x, m.scalar(0)});
  return m.op("Where", {positive, x, other}, x.shape);
}
Feature chosen_with_zeros(Maker& m, const Feature& x) {
  return chosen(m, x, m.map("Tanh", x));
}
Feature chosen_with_ones(Maker& m, const Feature& x) {
  return chosen(m, x, m.map("Exp", x));
}
Feature shrunk(Maker& m, const Feature& x) {
  return m.map("Shrink", x, {}, {real("lambd", 0.2f), real("bias", 0.1f)});
}
// A negative threshold leaves no room for "otherwise": zero itself is above it.
Feature shrunk_below_zero(Maker& m, const Feature& x) {
  return m.map("Shrink", x, {}, {real("lambd", -0.5f), real("bias", 0.4f)});
}
// Zero by the standard; without a guard in the divisor, as in ONNX Runtime, 0 / 0.
Feature mean_variance(Maker& m, const Feature& x) {
  return m.map("MeanVarianceNormalization", x, {}, {ints("axes", {1})});
}

Feature unit_length(Maker& m, const Feature& x) {
  return m.map("LpNormalization", x, {}, {graph::attr("axis", 2), graph::attr("p", 2)});
}
void unit_length_of_relu(Maker& m) {
  head(m, unit_length(m, m.map("Relu", features(m))));
}
void unit_length_of_sigmoid(Maker& m) {
  head(m, unit_length(m, m.map("Sigmoid", features(m))));
}
Feature unit_length_over_frames(Maker& m, const Feature& x) {
  return m.map("LpNormalization", x, {}, {graph::attr("axis", 1), graph::attr("p", 2)});
}

void einsum(Maker& m, const Feature& x) {
  m.output(m.op("Einsum", {x}, {2, frames}, {text("equation", "bfc->bf")}), "sums");
}
void einsum_of_relu(Maker& m) {
  einsum(m, m.map("Relu", features(m)));
}
void einsum_of_sigmoid(Maker& m) {
  einsum(m, m.map("Sigmoid", features(m)));
}

// Sampling outside of the image gives `value`, whatever the channel holds.
void resized_beyond_the_image(Maker& m, float value) {
  const Feature x = m.conv(m.input("image", {1, 3, 8, 8}), 12);
  const ValueId region = m.constant("region", {0, 0, -0.5f, -0.5f, 1, 1, 1.5f, 1.5f});
  const Feature y = m.op("Resize", {x, region, graph::no_value, m.builder.ints({1, 12, 12, 12})}, {1, 12, 12, 12},
                         {text("coordinate_transformation_mode", "tf_crop_and_resize"), text("mode", "linear"),
                          real("extrapolation_value", value)});
  m.output(m.reduce("ReduceSum", y, {1}, false), "sums");
}
void resized_with_zero(Maker& m) {
  resized_beyond_the_image(m, 0);
}
void resized_with_one(Maker& m) {
  resized_beyond_the_image(m, 1);
}

void batch_norm(Maker& m) {
  m.output(m.reduce("ReduceSum", m.batch_norm(m.conv(m.input("image", {1, 3, 8, 8}), 12)), {1}, false), "sums");
}

const Leak sum{"ReduceSum", Mixing::sum};

}  // namespace

std::vector<MixingGraph> mixing_sums() {
  return {
      {"sum_of_relu", Mixing::sum, reduced<relu_sum>},
      {"sum_of_sigmoid", Mixing::sum, reduced<sigmoid_sum>, {sum}},
      {"l1_of_tanh", Mixing::sum, reduced<tanh_l1>},
      {"l1_of_cos", Mixing::sum, reduced<cos_l1>, {{"ReduceL1", Mixing::sum}}},
      {"l2_of_elu", Mixing::sum, reduced<elu_l2>},
      {"l2_of_softplus", Mixing::sum, reduced<softplus_l2>, {{"ReduceL2", Mixing::sum}}},
      {"sum_square_of_sin", Mixing::sum, reduced<sin_square>},
      {"sum_square_of_exp", Mixing::sum, reduced<exp_square>, {{"ReduceSumSquare", Mixing::sum}}},
      {"log_sum_of_abs", Mixing::sum, reduced<abs_log>},
      {"log_sum_of_exp", Mixing::sum, reduced<exp_log>, {{"ReduceLogSum", Mixing::sum}}},
      {"sum_plus_one", Mixing::sum, sum_of<plus_one>, {sum}},
      {"sum_plus_vector", Mixing::sum, sum_of<plus_vector>},
      {"sum_of_gated", Mixing::sum, sum_of<gated>},
      {"sum_with_sigmoid", Mixing::sum, sum_of<sum_with_sigmoid>, {sum}},
      {"sum_of_squares", Mixing::sum, sum_of<squared>},
      {"sum_to_the_zeroth", Mixing::sum, sum_of<to_the_zeroth>, {sum}},
      {"sum_clipped_at_zero", Mixing::sum, sum_of<clipped_at_zero>},
      {"sum_clipped_above_zero", Mixing::sum, sum_of<clipped_above_zero>, {sum}},
      {"sum_divided_by_a_parameter", Mixing::sum, sum_of<divided_by_a_parameter>},
      {"sum_divided_by_itself", Mixing::sum, sum_of<divided_by_itself>, {sum}},
      {"sum_of_logarithms", Mixing::sum, sum_of<logarithm>, {sum}},
      {"sum_of_softmax_over_frames", Mixing::sum, sum_of<softmax_over_frames>, {sum}},
      {"sum_padded_with_zero", Mixing::sum, sum_of<padded_with_zero>},
      {"sum_padded_with_one", Mixing::sum, sum_of<padded_with_one>, {sum}},
      {"sum_chosen_with_zeros", Mixing::sum, sum_of<chosen_with_zeros>},
      {"sum_chosen_with_ones", Mixing::sum, sum_of<chosen_with_ones>, {sum}},
      {"sum_shrunk", Mixing::sum, sum_of<shrunk>},
      {"sum_shrunk_below_zero", Mixing::sum, sum_of<shrunk_below_zero>, {sum}},
      {"sum_of_mean_variance_over_frames", Mixing::sum, sum_of<mean_variance>, {sum}},
      {"unit_length_of_relu", Mixing::sum, unit_length_of_relu},
      {"unit_length_of_sigmoid", Mixing::sum, unit_length_of_sigmoid, {{"LpNormalization", Mixing::sum}}},
      {"sum_of_unit_length_over_frames", Mixing::sum, sum_of<unit_length_over_frames>},
      {"einsum_of_relu", Mixing::sum, einsum_of_relu},
      {"einsum_of_sigmoid", Mixing::sum, einsum_of_sigmoid, {{"Einsum", Mixing::sum}}},
      {"sum_resized_with_zero", Mixing::sum, resized_with_zero},
      {"sum_resized_with_one", Mixing::sum, resized_with_one, {sum}},
      {"sum_of_batch_norm", Mixing::sum, batch_norm},
  };
}

}  // namespace coppice::test
