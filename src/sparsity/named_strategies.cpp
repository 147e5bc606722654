#include <algorithm>
#include <array>
#include <cmath>

#include "coppice/base/error.hpp"
#include "coppice/sparsity/strategy.hpp"

#include "sparsity/contest.hpp"
#include "tensor/decode.hpp"

namespace coppice::sparsity {
namespace {

using tensor::Tensor;

enum class By { chance, weight, gradient, activation, weight_norm, activation_norm };

struct Kind {
  By by;
  Context context;
};

constexpr std::array<std::string_view, 9> names{"Random",       "GlobalMagWeight",   "GlobalMagGrad",
                                                "GlobalMagAct", "LayerMagWeight",    "LayerMagGrad",
                                                "LayerMagAct",  "WeightNormChannel", "ActivationNormChannel"};
constexpr std::array<Kind, 9> kinds{{{By::chance, Context::global},
                                     {By::weight, Context::global},
                                     {By::gradient, Context::global},
                                     {By::activation, Context::global},
                                     {By::weight, Context::local},
                                     {By::gradient, Context::local},
                                     {By::activation, Context::local},
                                     {By::weight_norm, Context::local},
                                     {By::activation_norm, Context::local}}};

template <class Map>
const auto& look_up(const Map& map, const Site& layer, const char* what) {
  const auto found = map.find(layer.name);
  if (found == map.end()) throw Error(layer.name + ": the strategy needs " + what + " for this weight");
  return found->second;
}

std::size_t inner_size(const Site& layer, std::size_t axis) {
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < layer.shape.size(); ++i) inner *= static_cast<std::size_t>(layer.shape[i]);
  return inner;
}

/// Numbers by index of an axis, spread over the weight's shape. Of the inputs of a grouped convolution the axis lists
/// those of one group, and the outputs tell which group.
std::vector<double> spread(const Site& layer, std::size_t axis, const std::vector<double>& numbers) {
  const auto length = static_cast<std::size_t>(layer.shape[axis]),
             outputs = static_cast<std::size_t>(layer.shape[layer.output_axis]);
  const std::size_t groups = length == 0 ? 0 : numbers.size() / length;
  const bool grouped = layer.convolution() && axis == layer.input_axis && groups > 1 && outputs % groups == 0;
  if (numbers.size() != length && !(grouped && numbers.size() == groups * length)) {
    throw Error(layer.name + ": expected the norms of " + std::to_string(length) + " channels, found " +
                std::to_string(numbers.size()));
  }
  const std::size_t inner = inner_size(layer, axis), inner_outputs = inner_size(layer, layer.output_axis);
  std::vector<double> out(static_cast<std::size_t>(tensor::element_count(layer.shape)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t group = grouped ? i / inner_outputs % outputs / (outputs / groups) : 0;
    out[i] = numbers[group * length + i / inner % length];
  }
  return out;
}

class Named : public Strategy {
 public:
  Named(Kind kind, const graph::Model& model, const StrategyOptions& options) : Strategy(model, options), kind_(kind) {}

 protected:
  Masks model_masks() override {
    SparsifyOptions wanted;
    wanted.seed = options().seed;
    if (kind_.by == By::chance) wanted.criterion = importance::Criterion::random;
    if (kind_.by == By::weight_norm) wanted.criterion = importance::Criterion::l2;
    const bool channels = kind_.by == By::weight_norm || kind_.by == By::activation_norm;
    std::vector<Entrant> entrants;
    for (std::size_t i = 0; i < layers().size(); ++i) {
      const Site& layer = layers()[i];
      if (channels && !layer.convolution() && !options().prune_linear) continue;
      entrants.push_back({layer, *model().graph.constant(layer.value), i});
      if (kind_.by != By::chance && kind_.by != By::weight && kind_.by != By::weight_norm)
        wanted.scores.emplace(layer.name, scores(entrants.back()));
    }
    Masks out;
    const auto settle = [&](const std::vector<Entrant>& group) {
      std::vector<tensor::Mask> made = compete(group, 1 - fraction(), wanted);
      for (std::size_t i = 0; i < group.size(); ++i) out.emplace_back(group[i].site.name, std::move(made[i]));
    };
    if (kind_.context == Context::global) {
      settle(entrants);
      return out;
    }
    for (Entrant& entrant : entrants) {
      if (channels) wanted.granularity = entrant.site.convolution() ? Granularity::filter : Granularity::row;
      settle({std::move(entrant)});
    }
    return out;
  }

 private:
  Tensor scores(const Entrant& entrant) const {
    const Site& layer = entrant.site;
    if (kind_.by == By::activation_norm) {
      const auto& norms = look_up(options().output_norms, layer, "the norms of the layer's outputs");
      return tensor::from_doubles(tensor::DType::float64, layer.shape, spread(layer, layer.output_axis, norms));
    }
    std::vector<double> out(static_cast<std::size_t>(entrant.tensor.elements())), factor(out.size());
    tensor::decode(entrant.tensor, 0, out.size(), out.data());
    if (kind_.by == By::gradient) {
      const Tensor& gradient = look_up(options().gradients, layer, "the gradient");
      if (gradient.shape != layer.shape || !tensor::is_real(gradient.dtype)) {
        throw Error(layer.name + ": expected a gradient of shape " + tensor::to_string(layer.shape) + ", found " +
                    tensor::to_string(gradient.shape));
      }
      tensor::decode(gradient, 0, factor.size(), factor.data());
    } else {
      factor =
          spread(layer, layer.input_axis, look_up(options().input_norms, layer, "the norms of the layer's inputs"));
    }
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::fabs(out[i] * factor[i]);
    return tensor::from_doubles(tensor::DType::float64, layer.shape, out);
  }

  const Kind kind_;
};

}  // namespace

std::span<const std::string_view> strategy_names() {
  return names;
}

std::unique_ptr<Strategy> make_strategy(std::string_view name, const graph::Model& model,
                                        const StrategyOptions& options) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end())
    return std::make_unique<Named>(kinds[static_cast<std::size_t>(found - names.begin())], model, options);
  std::string list;
  for (const std::string_view known : names) list.append(list.empty() ? "" : ", ").append(known);
  throw Error("strategy: expected one of " + list + ", found '" + std::string(name) + "'");
}

}  // namespace coppice::sparsity
