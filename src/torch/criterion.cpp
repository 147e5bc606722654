#include "coppice/torch/criterion.hpp"

#include <array>

#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"

namespace coppice {
namespace {

constexpr std::array kOfWeights{importance::Criterion::large_final, importance::Criterion::l2,
                                importance::Criterion::small_final, importance::Criterion::random,
                                importance::Criterion::bn_scale,    importance::Criterion::fpgm,
                                importance::Criterion::lamp};

constexpr std::array kReady{gradient,
                            taylor,
                            taylor_multi_variable,
                            hessian,
                            obd,
                            snip,
                            activation_norm,
                            activation_magnitude,
                            large_init,
                            small_init,
                            large_init_large_final,
                            small_init_small_final,
                            magnitude_increase,
                            movement,
                            movmag,
                            updating_magnitude_increase,
                            updating_movement,
                            updating_movmag};

at::Tensor wide(const at::Tensor& tensor) {
  return tensor.to(at::kDouble);
}

}  // namespace

Criterion::Criterion(importance::Criterion weights) : name_(importance::to_string(weights)), weights_(weights) {}

Criterion::Criterion(const ReadyCriterion& ready) : Criterion(std::string(ready.name), ready.score, ready.options) {}

Criterion::Criterion(std::string name, ScoreFunction score, CriterionOptions options)
    : name_(std::move(name)), score_(std::move(score)), options_(options) {
  if (!score_) throw Error("criterion \"" + name_ + "\": expected a function, found none");
}

const std::vector<std::string_view>& criterion_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (importance::Criterion criterion : kOfWeights) out.push_back(importance::to_string(criterion));
    for (const ReadyCriterion& ready : kReady) out.push_back(ready.name);
    return out;
  }();
  return names;
}

Criterion parse_criterion(std::string_view name) {
  for (importance::Criterion criterion : kOfWeights)
    if (importance::to_string(criterion) == name) return criterion;
  for (const ReadyCriterion& ready : kReady)
    if (ready.name == name) return ready;
  throw Error("criterion: expected one of " + std::to_string(criterion_names().size()) + ", found '" +
              std::string(name) + "'; nearest: " + base::nearest_list(name, criterion_names()));
}

namespace score {

at::Tensor gradient(const WeightView& w) {
  return w.gradient.abs();
}
at::Tensor taylor(const WeightView& w) {
  return signed_taylor(w).abs();
}
at::Tensor signed_taylor(const WeightView& w) {
  return wide(w.weight) * w.gradient;
}
at::Tensor hessian(const WeightView& w) {
  return wide(w.weight).square() * w.squared_gradient;
}
at::Tensor obd(const WeightView& w) {
  return hessian(w) / 2;
}
at::Tensor output_norm(const WeightView& w) {
  return w.output_norm.defined() ? w.output_norm.flatten() : at::Tensor();
}
at::Tensor activation_magnitude(const WeightView& w) {
  return w.input_norm.defined() ? wide(w.weight).abs() * w.input_norm : at::Tensor();
}
at::Tensor large_init(const WeightView& w) {
  return wide(w.initial).abs();
}
at::Tensor small_init(const WeightView& w) {
  return -wide(w.initial).abs();
}
at::Tensor large_init_large_final(const WeightView& w) {
  return at::minimum(wide(w.weight).abs(), wide(w.initial).abs());
}
at::Tensor small_init_small_final(const WeightView& w) {
  return -at::maximum(wide(w.weight).abs(), wide(w.initial).abs());
}
at::Tensor magnitude_increase(const WeightView& w) {
  return wide(w.weight).abs() - wide(w.initial).abs();
}
at::Tensor movement(const WeightView& w) {
  return (wide(w.weight) - wide(w.initial)).abs();
}
at::Tensor movmag(const WeightView& w) {
  return (wide(w.weight) * (wide(w.weight) - wide(w.initial))).abs();
}

}  // namespace score

}  // namespace coppice
