#include "torch/scoring/numbers.hpp"

#include <cmath>
#include <limits>

#include "coppice/base/at.hpp"
#include "coppice/tensor/scores.hpp"
#include "coppice/tensor/tensor.hpp"

#include "torch/messages.hpp"
#include "torch/scoring/batches.hpp"

namespace coppice::scoring {
namespace {

std::span<double> values(const at::Tensor& tensor) {
  return {tensor.data_ptr<double>(), static_cast<std::size_t>(tensor.numel())};
}

at::Tensor drawn(const at::Tensor& like, std::uint64_t seed, std::size_t place) {
  const at::Tensor out = at::empty(like.sizes(), at::kDouble);
  const auto to = values(out);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = importance::random_score(seed, place, i);
  return out;
}

at::Tensor lamp_of(const at::Tensor& weight) {
  const at::Tensor out = weight.square();
  const auto scores = tensor::lamp_scores(values(out));
  std::copy(scores.begin(), scores.end(), values(out).begin());
  return out;
}

// As the core does for slices, weight by weight.
at::Tensor from_weights(importance::Criterion criterion, const at::Tensor& weight, std::uint64_t seed,
                        std::size_t place) {
  using importance::Criterion;
  const at::Tensor wide = weight.to(at::kCPU, at::kDouble).contiguous();
  switch (criterion) {
    case Criterion::large_final:
    case Criterion::bn_scale:
      return wide.abs();
    case Criterion::l2:
      return wide.square();
    case Criterion::small_final:
      return -wide.abs();
    case Criterion::random:
      return drawn(wide, seed, place);
    case Criterion::lamp:
      return lamp_of(wide);
    case Criterion::fpgm:
      break;
  }
  throw Error("criterion \"" + std::string(importance::to_string(criterion)) +
              "\" compares slices: it has no number for a single weight");
}

}  // namespace

at::Tensor numbers(const Criterion& criterion, std::string_view name, WeightView view, std::uint64_t seed,
                   std::size_t place) {
  if (criterion.weights_only()) return from_weights(*criterion.weights_only(), view.weight, seed, place);
  view.name = name;
  const CriterionOptions& options = criterion.options();
  const std::string where = "criterion \"" + criterion.name() + "\" on \"" + std::string(name) + "\"";
  const auto need = [&](bool wanted, const at::Tensor& tensor, const char* what) {
    if (wanted && !tensor.defined()) throw Error(where + ": expected " + what + ", found none");
  };
  need(options.gradient, view.gradient, "a gradient");
  need(options.squared_gradient, view.squared_gradient, "a squared gradient");
  need(options.initial, view.initial, "the initial weight");
  if (options.channels && view.output_axis < 0) return {};
  const at::NoGradGuard no_gradients;
  at::Tensor out = guarded(where, [&] { return criterion.function()(view); });
  if (!out.defined()) return out;
  if (options.channels) {
    const std::int64_t channels = view.weight.size(view.output_axis);
    if (out.dim() != 1 || out.size(0) != channels)
      throw Error(where + ": expected " + std::to_string(channels) + " numbers, one a channel, found " +
                  shape_text(out.sizes()));
  } else if (out.sizes() != view.weight.sizes()) {
    throw Error(where + ": expected numbers in the weight's shape " + shape_text(view.weight.sizes()) + ", found " +
                shape_text(out.sizes()));
  }
  out = out.detach().to(at::kCPU, at::kDouble).contiguous();
  for (const double number : values(out))
    if (!std::isfinite(number)) throw Error(where + ": expected finite numbers, found " + std::to_string(number));
  return out;
}

void Total::add(const at::Tensor& numbers) {
  for (const double number : values(numbers)) sum_ += std::abs(number);
}

double Total::divisor() const {
  return std::max(sum_, std::numeric_limits<double>::min());
}

std::vector<double> sums_along(const at::Tensor& numbers, std::size_t axis) {
  const auto length = static_cast<std::size_t>(numbers.size(static_cast<std::int64_t>(axis)));
  std::vector<double> out(length, 0);
  if (numbers.numel() == 0) return out;
  const auto inner = static_cast<std::size_t>(numbers.stride(static_cast<std::int64_t>(axis)));
  const auto from = values(numbers);
  for (std::size_t begin = 0; begin < from.size(); begin += length * inner)
    for (std::size_t i = 0; i < length; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < inner; ++k) sum += from[begin + i * inner + k];
      out[i] += sum;
    }
  return out;
}

}  // namespace coppice::scoring
