#include "support/mixing/common.hpp"
#include "support/mixing_graphs.hpp"

namespace coppice::test {
namespace {

using coupling::Mixing;

struct Names {
  std::string_view function, reduction;
};
constexpr Names relu_mean{"Relu", "ReduceMean"}, relu_max{"Relu", "ReduceMax"}, abs_max{"Abs", "ReduceMax"},
    abs_min{"Abs", "ReduceMin"}, sigmoid_product{"Sigmoid", "ReduceProd"}, relu_exponential{"Relu", "ReduceLogSumExp"};

// Over the features, which are cut.
template <const Names& names>
void over_features(Maker& m) {
  m.output(m.reduce(names.reduction, m.map(names.function, features(m)), {2}, false), "reduced");
}
// Over the frames, which are not: what is zero stays zero, and the sum afterwards tells.
template <const Names& names>
void over_frames(Maker& m) {
  const Feature y = m.reduce(names.reduction, m.map(names.function, features(m)), {1}, true);
  sum_features(m, y);
}

// All below zero but what is removed.
void max_of_negatives(Maker& m) {
  m.output(m.reduce("ReduceMax", m.map("Neg", m.map("Abs", features(m))), {2}, false), "reduced");
}
// None below zero; that the removed zeroes do no harm here would take knowing signs.
void min_of_negatives(Maker& m) {
  m.output(m.reduce("ReduceMin", m.map("Neg", m.map("Abs", features(m))), {2}, false), "reduced");
}
void product_over_frames(Maker& m) {
  sum_features(m, m.reduce("ReduceProd", features(m), {1}, true));
}
void exponential_over_frames_to_a_weight(Maker& m) {
  head(m, m.reduce("ReduceLogSumExp", features(m), {1}, true));
}

}  // namespace

std::vector<MixingGraph> mixing_extremes() {
  const Leak sum{"ReduceSum", Mixing::sum}, max{"ReduceMax", Mixing::max}, min{"ReduceMin", Mixing::min};
  return {
      {"mean_over_features", Mixing::mean, over_features<relu_mean>, {{"ReduceMean", Mixing::mean}}},
      {"mean_over_frames", Mixing::mean, over_frames<relu_mean>},
      {"max_of_negatives", Mixing::max, max_of_negatives, {max}},
      {"max_of_positives", Mixing::max, over_features<relu_max>, {max}, Felt::no},
      {"max_over_frames", Mixing::max, over_frames<abs_max>},
      {"min_of_positives", Mixing::min, over_features<abs_min>, {min}},
      {"min_of_negatives", Mixing::min, min_of_negatives, {min}, Felt::no},
      {"min_over_frames", Mixing::min, over_frames<abs_min>},
      {"product_over_features", Mixing::product, over_features<sigmoid_product>, {{"ReduceProd", Mixing::product}}},
      {"product_over_frames", Mixing::product, product_over_frames},
      {"exponential_over_features",
       Mixing::exponential,
       over_features<relu_exponential>,
       {{"ReduceLogSumExp", Mixing::exponential}}},
      // The logarithm of as many ones as there are frames is not zero: a weight silences it, a sum does not.
      {"exponential_over_frames", Mixing::exponential, over_frames<relu_exponential>, {sum}},
      {"exponential_over_frames_to_a_weight", Mixing::exponential, exponential_over_frames_to_a_weight},
  };
}

}  // namespace coppice::test
