#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/importance/criterion.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice {

/// One constant of a model, and what was found out about it. Tensors that the criterion did not ask for are undefined,
/// and so are norms where they can't be told.
struct WeightView {
  std::string_view name;
  at::Tensor weight;
  at::Tensor gradient;          ///< Mean over samples n of g_n = d loss / d weight. Shape of the weight, float64.
  at::Tensor squared_gradient;  ///< Mean over samples n of g_n^2. Shape of the weight, float64.
  at::Tensor initial;           ///< The weight as it was at first, or (`updating`) at the previous pruning step.
  /// sqrt(mean over samples of the sum over all positions of x_c^2) for each channel c of the input of the layer that
  /// reads the weight, shaped so that it multiplies the weight: [1, C, 1, 1] for a convolution. float64.
  at::Tensor input_norm;
  /// The same of the layer's output, its bias added; for a convolution [C, 1, 1, 1]. float64.
  at::Tensor output_norm;
  int input_axis = -1;   ///< Axis of the weight that lists the layer's input channels; -1: none, or not known.
  int output_axis = -1;  ///< Axis of the weight that lists the layer's output channels.
};

/// What a criterion asks for, and how its numbers become those of units.
struct CriterionOptions {
  bool gradient = false, squared_gradient = false;
  bool initial = false;
  bool updating = false;  ///< `initial` is renewed at every pruning step.
  bool input_norm = false, output_norm = false;
  bool absolute_sum = false;    ///< A slice counts as |sum| of its numbers.
  bool share_of_total = false;  ///< Every number is divided by the sum of |numbers| over all weights.
  /// The function gives one number per output channel; sites on other axes are not measured.
  bool channels = false;

  bool needs_loss() const { return gradient || squared_gradient; }
  bool needs_data() const { return needs_loss() || input_norm || output_norm; }
};

/// Gives one number per weight (the weight's shape), or with `channels` one per output channel; large numbers stay. An
/// undefined tensor: this constant is not measured.
using ScoreFunction = std::function<at::Tensor(const WeightView&)>;

/// A criterion of this library, known while compiling; converts to Criterion.
struct ReadyCriterion {
  std::string_view name;
  at::Tensor (*score)(const WeightView&) = nullptr;
  CriterionOptions options;
};

/// How importance is told. A unit's slice has the sum of the numbers of its weights.
class Criterion {
 public:
  /// Told from the weights alone.
  Criterion(importance::Criterion weights = importance::Criterion::large_final);
  Criterion(const ReadyCriterion& ready);
  /// One of the user's own.
  Criterion(std::string name, ScoreFunction score, CriterionOptions options = {});

  const std::string& name() const { return name_; }
  const CriterionOptions& options() const { return options_; }
  /// The core's criterion, where it is one.
  const std::optional<importance::Criterion>& weights_only() const { return weights_; }
  const ScoreFunction& function() const { return score_; }

 private:
  std::string name_;
  std::optional<importance::Criterion> weights_;
  ScoreFunction score_;
  CriterionOptions options_;
};

// Those told from the weights alone: see importance::Criterion.
inline constexpr importance::Criterion large_final = importance::Criterion::large_final;
inline constexpr importance::Criterion l2 = importance::Criterion::l2;
inline constexpr importance::Criterion small_final = importance::Criterion::small_final;
inline constexpr importance::Criterion random = importance::Criterion::random;
inline constexpr importance::Criterion bn_scale = importance::Criterion::bn_scale;
inline constexpr importance::Criterion fpgm = importance::Criterion::fpgm;
inline constexpr importance::Criterion lamp = importance::Criterion::lamp;

namespace score {
at::Tensor gradient(const WeightView& w);
at::Tensor taylor(const WeightView& w);
at::Tensor signed_taylor(const WeightView& w);
at::Tensor hessian(const WeightView& w);
at::Tensor obd(const WeightView& w);
at::Tensor output_norm(const WeightView& w);
at::Tensor activation_magnitude(const WeightView& w);
at::Tensor large_init(const WeightView& w);
at::Tensor small_init(const WeightView& w);
at::Tensor large_init_large_final(const WeightView& w);
at::Tensor small_init_small_final(const WeightView& w);
at::Tensor magnitude_increase(const WeightView& w);
at::Tensor movement(const WeightView& w);
at::Tensor movmag(const WeightView& w);
}  // namespace score

// Those that need gradients. With w a weight and g its mean gradient:

/// |g|.
inline constexpr ReadyCriterion gradient{"gradient", score::gradient, {.gradient = true}};
/// |w g|: how much the loss changes without w, to first order, weight by weight (Molchanov et al., Importance
/// Estimation for Neural Network Pruning, 2019, without the square).
inline constexpr ReadyCriterion taylor{"taylor", score::taylor, {.gradient = true}};
/// |sum w g| over a slice: the same for the slice as a whole.
inline constexpr ReadyCriterion taylor_multi_variable{
    "taylor_multi_variable", score::signed_taylor, {.gradient = true, .absolute_sum = true}};
/// w^2 mean_n g_n^2, with the empirical Fisher information as the Hessian's diagonal (Theis et al., Faster Gaze
/// Prediction With Dense Networks and Fisher Pruning, 2018, without the factor 1/2).
inline constexpr ReadyCriterion hessian{"hessian", score::hessian, {.squared_gradient = true}};
/// h w^2 / 2, the saliency of LeCun et al., Optimal Brain Damage, 1990, with h = mean_n g_n^2: ranks as hessian does.
inline constexpr ReadyCriterion obd{"obd", score::obd, {.squared_gradient = true}};
/// |w g| / sum |w g| over all weights (Lee et al., SNIP: Single-shot Network Pruning, 2019).
inline constexpr ReadyCriterion snip{"snip", score::taylor, {.gradient = true, .share_of_total = true}};

// Those that need activations.

/// The norm of the layer's output channel: WeightView::output_norm.
inline constexpr ReadyCriterion activation_norm{
    "activation_norm", score::output_norm, {.output_norm = true, .channels = true}};
/// |w| times the norm of the input channel that it multiplies: WeightView::input_norm (Sun et al., Wanda, 2024,
/// equation 1).
inline constexpr ReadyCriterion activation_magnitude{
    "activation_magnitude", score::activation_magnitude, {.input_norm = true}};

// Those that need the weights as they were: w0 is the weight at first, in the updating ones at the previous step. Most
// are mask criteria of Zhou et al., Deconstructing Lottery Tickets, 2019.

/// |w0|.
inline constexpr ReadyCriterion large_init{"large_init", score::large_init, {.initial = true}};
/// -|w0|.
inline constexpr ReadyCriterion small_init{"small_init", score::small_init, {.initial = true}};
/// min(|w|, |w0|).
inline constexpr ReadyCriterion large_init_large_final{
    "large_init_large_final", score::large_init_large_final, {.initial = true}};
/// -max(|w|, |w0|).
inline constexpr ReadyCriterion small_init_small_final{
    "small_init_small_final", score::small_init_small_final, {.initial = true}};
/// |w| - |w0|.
inline constexpr ReadyCriterion magnitude_increase{"magnitude_increase", score::magnitude_increase, {.initial = true}};
/// |w - w0|.
inline constexpr ReadyCriterion movement{"movement", score::movement, {.initial = true}};
/// |w (w - w0)|.
inline constexpr ReadyCriterion movmag{"movmag", score::movmag, {.initial = true}};
inline constexpr ReadyCriterion updating_magnitude_increase{
    "updating_magnitude_increase", score::magnitude_increase, {.initial = true, .updating = true}};
inline constexpr ReadyCriterion updating_movement{
    "updating_movement", score::movement, {.initial = true, .updating = true}};
inline constexpr ReadyCriterion updating_movmag{"updating_movmag", score::movmag, {.initial = true, .updating = true}};

/// The names of all of these, those told from the weights first.
const std::vector<std::string_view>& criterion_names();
/// Throws Error with the nearest names for any other text.
Criterion parse_criterion(std::string_view name);

}  // namespace coppice
