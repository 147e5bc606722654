#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

ValueId or_filled(Site& site, std::size_t i, double value, std::int64_t channels, std::string_view part) {
  return site.has(i) ? site.in(i) : site.filled(value, {channels}, site.dtype(0), part);
}

Ints range(std::int64_t begin, std::int64_t end) {
  Ints out;
  for (std::int64_t k = begin; k < end; ++k) out.push_back(k);
  return out;
}

// Scale and shift of channels, for an input whose axis 1 is the channels.
ValueId affine(Site& site, ValueId value, std::size_t weight, std::size_t bias) {
  const Ints axes = range(1, site.rank(0) - 1);
  const auto column = [&](std::size_t i, std::string_view part) {
    if (axes.empty()) return site.in(i);
    return site.op("Unsqueeze", {site.in(i), site.constant(axes, std::string(part) + "_axes")}, {}, part);
  };
  if (site.has(weight)) value = site.op("Mul", {value, column(weight, "weight")}, {}, "scaled");
  if (site.has(bias)) value = site.op("Add", {value, column(bias, "bias")}, {}, "shifted");
  return value;
}

// (x, weight, bias, running_mean, running_var, training, momentum, epsilon). ONNX's momentum is the share of the old.
bool batch_norm(Site& site) {
  const bool training = site.flag(5);
  const double epsilon = site.real(7, 1e-5);
  if (!site.has(3) || !site.has(4)) {
    // Without running statistics it takes the batch's.
    Ints axes = range(2, site.rank(0));
    axes.insert(axes.begin(), 0);
    const ValueId mean = site.op("ReduceMean", {site.in(0)}, {attr("axes", axes), attr("keepdims", 1)}, "mean");
    const ValueId centred = site.op("Sub", {site.in(0), mean}, {}, "centred");
    const ValueId square = site.op("Mul", {centred, centred}, {}, "square");
    const ValueId variance = site.op("ReduceMean", {square}, {attr("axes", axes), attr("keepdims", 1)}, "variance");
    const ValueId shifted =
        site.op("Add", {variance, site.scalar(epsilon, site.dtype(0), "epsilon")}, {}, "shifted_variance");
    const ValueId deviation = site.op("Sqrt", {shifted}, {}, "deviation");
    site.out(affine(site, site.op("Div", {centred, deviation}), 1, 2));
    return true;
  }
  const std::int64_t channels = site.shape(3).at(0);
  std::vector<Attribute> attributes{attr("epsilon", static_cast<float>(epsilon)),
                                    attr("momentum", static_cast<float>(1 - site.real(6, 0)))};
  const std::vector<ValueId> inputs{site.in(0), or_filled(site, 1, 1, channels, "weight"),
                                    or_filled(site, 2, 0, channels, "bias"), site.in(3), site.in(4)};
  if (training) {
    attributes.push_back(attr("training_mode", 1));
    site.out(site.ops("BatchNormalization", inputs, 3, std::move(attributes)).at(0));
  } else {
    site.out(site.op("BatchNormalization", inputs, std::move(attributes)));
  }
  return true;
}

// (x, weight, bias, running_mean, running_var, use_input_stats, momentum, epsilon)
bool instance_norm(Site& site) {
  if (site.rank(0) < 3) return false;
  const std::int64_t channels = site.shape(0)[1];
  const auto epsilon = attr("epsilon", static_cast<float>(site.real(7, 1e-5)));
  const ValueId weight = or_filled(site, 1, 1, channels, "weight"), bias = or_filled(site, 2, 0, channels, "bias");
  if (site.flag(5)) {
    site.out(site.op("InstanceNormalization", {site.in(0), weight, bias}, {epsilon}));
  } else {
    site.out(site.op("BatchNormalization", {site.in(0), weight, bias, site.in(3), site.in(4)}, {epsilon}));
  }
  return true;
}

// (x, normalised extents, weight, bias, epsilon)
bool layer_norm(Site& site) {
  const Ints extents = site.ints(1);
  std::vector<ValueId> inputs{site.in(0), site.has(2) ? site.in(2) : site.filled(1, extents, site.dtype(0), "weight")};
  if (site.has(3)) inputs.push_back(site.in(3));
  site.out(site.op("LayerNormalization", std::move(inputs),
                   {attr("axis", -static_cast<std::int64_t>(extents.size())),
                    attr("epsilon", static_cast<float>(site.real(4, 1e-5)))}));
  return true;
}

// (x, groups, weight, bias, epsilon): opset 17 has it as the instance norm of groups.
bool group_norm(Site& site) {
  const std::int64_t groups = site.integer(1);
  const ValueId shape = site.op("Shape", {site.in(0)}, {}, "shape");
  const ValueId split = site.op("Reshape", {site.in(0), site.constant({0, groups, -1}, "groups_shape")}, {}, "groups");
  const ValueId normalised = site.op(
      "InstanceNormalization",
      {split, site.filled(1, {groups}, site.dtype(0), "ones"), site.filled(0, {groups}, site.dtype(0), "zeros")},
      {attr("epsilon", static_cast<float>(site.real(4, 1e-5)))});
  site.out(affine(site, site.op("Reshape", {normalised, shape}, {}, "whole"), 2, 3));
  return true;
}

}  // namespace

void add_norm_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"batch_norm", batch_norm});
  rules.push_back({"instance_norm", instance_norm});
  rules.push_back({"layer_norm", layer_norm});
  rules.push_back({"group_norm", group_norm});
}

}  // namespace coppice::tracing
