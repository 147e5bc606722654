#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

// Vectors over the channel axis (operands 1 and on) meet axis 1; a parameter of another shape (one number per feature
// in the first operator sets) fixes it.
Axis with_vectors(RuleContext& c, Axis channel) {
  for (std::size_t i = 1; i < c.node().inputs.size(); ++i) {
    if (!c.has(i)) continue;
    if (c.rank(i) == 1 && c.shape(i)[0] == channel.length) {
      channel = c.meet(channel, c.axis(i, 0));
    } else {
      c.lock(channel, Reason::fixed_axis);
      c.lock_from(i, 0, Reason::fixed_axis);
    }
  }
  return channel;
}

// Whether the statistics are those of the input: over all axes but the channels.
bool in_training(const RuleContext& c) {
  if (c.opset() >= 14) return c.node().int_or("training_mode", 0) != 0;
  return c.opset() >= 7 ? c.has_output(1) : c.node().int_or("is_test", 0) == 0;
}

void batch_norm(RuleContext& c) {
  auto axes = c.axes(0);
  for (std::size_t k = 0; k < axes.size(); ++k)
    if (k != 1 && in_training(c)) c.lock(axes[k], Reason::fixed_axis);
  if (axes.size() > 1) axes[1] = with_vectors(c, axes[1]);
  c.set(0, axes);
  for (std::size_t o = 1; o < c.node().outputs.size(); ++o)
    if (c.has_output(o) && c.out_rank(o) == 1 && axes.size() > 1) c.set(o, 0, axes[1]);
}

void instance_norm(RuleContext& c) {
  auto axes = c.axes(0);
  axes[1] = with_vectors(c, c.axis(0, 1));
  for (std::size_t k = 2; k < axes.size(); ++k) c.mix(Mixing::statistics, 0, k);
  c.set(0, axes);
}

// Normalises operand 0 over its axes from `first` on; the operands in `parameters` are broadcast to its shape.
void layer_norm_over(RuleContext& c, std::size_t first, const std::vector<std::size_t>& parameters) {
  auto axes = c.axes(0);
  const std::size_t rank = axes.size();
  for (std::size_t i : parameters) {
    if (!c.has(i)) continue;
    if (c.rank(i) > rank) return c.lock_all(Reason::unknown_shape);
    for (std::size_t k = 0; k < c.rank(i); ++k) {
      const std::size_t o = rank - c.rank(i) + k;
      if (c.shape(i)[k] == axes[o].length && axes[o].length > 1)
        axes[o] = c.meet(axes[o], c.axis(i, k));
      else
        c.lock(i, k, Reason::broadcast_slice);
    }
  }
  for (std::size_t k = first; k < rank; ++k) c.mix(Mixing::statistics, 0, k);
  c.set(0, axes);
  for (std::size_t o = 1; o < c.node().outputs.size(); ++o) {  // mean, inverse deviation, or the sum with a residual
    if (!c.has_output(o) || c.out_rank(o) != rank) continue;
    for (std::size_t k = 0; k < rank; ++k)
      if (c.out_shape(o)[k] == axes[k].length) c.set(o, k, axes[k]);
  }
}

void layer_norm(RuleContext& c) {
  layer_norm_over(c, RuleContext::wrap(c.node().int_or("axis", -1), c.rank(0)), {1, 2});
}

// X, residual, gamma, beta, bias.
void skip_layer_norm(RuleContext& c) {
  layer_norm_over(c, c.rank(0) - 1, {1, 2, 3, 4});
}

void group_norm(RuleContext& c) {
  const std::int64_t groups = c.node().int_or("num_groups", 1);
  auto axes = c.axes(0);
  const std::int64_t channels = c.axis(0, 1).length;
  if (groups < 1 || channels % groups != 0) return c.lock_all(Reason::unknown_shape);
  const std::vector<std::int64_t> dims{groups, channels / groups};
  const auto parts = c.state().reshape({&axes[1], 1}, dims, c.index());
  if (parts[1].tracked()) c.state().flag(parts[1], State::avoid);
  std::vector<Factor> factors;
  c.state().append_factors(parts[0], factors);
  c.state().append_factors(parts[1], factors);
  Axis out = axes[1].tracked() ? c.state().make_axis(factors, axes[1].why) : axes[1];
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (!c.has(i)) continue;
    if (c.shape(i)[0] == channels)
      out = c.meet(out, c.axis(i, 0));
    else
      c.meet(parts[0], c.axis(i, 0));  // operator set 18: one scale a group
  }
  c.mix(Mixing::statistics, 0, 1, false);  // of the factors of this axis only the one inside the groups is mixed
  axes[1] = out;
  for (std::size_t k = 2; k < axes.size(); ++k) c.mix(Mixing::statistics, 0, k);
  c.set(0, axes);
}

void lp_norm(RuleContext& c) {
  c.mix(Mixing::sum, 0, RuleContext::wrap(c.node().int_or("axis", -1), c.rank(0)));
  same_axes(c);
}

void mean_variance_norm(RuleContext& c) {
  std::vector<std::int64_t> over{0, 2, 3};
  if (c.node().has("axes")) {
    const auto axes = c.node().ints("axes");
    over.assign(axes.begin(), axes.end());
  }
  for (std::int64_t k : over) c.mix(Mixing::statistics, 0, RuleContext::wrap(k, c.rank(0)));
  same_axes(c);
}

// Neighbouring channels take part in each other's result.
void local_response(RuleContext& c) {
  c.lock(c.axis(0, 1), Reason::ordered_axis);
  same_axes(c);
}

void softmax(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", c.opset() < 13 ? 1 : -1), rank);
  const std::size_t end = c.opset() < 13 ? rank : axis + 1;  // before version 13 all axes from `axis` on are one
  for (std::size_t k = axis; k < end; ++k) c.lock(c.axis(0, k), Reason::normalised_axis);
  same_axes(c);
}

}  // namespace

void add_norm_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "BatchNormalization", batch_norm});
  rules.push_back({"", "InstanceNormalization", instance_norm});
  rules.push_back({"", "LayerNormalization", layer_norm});
  rules.push_back({"", "RMSNormalization", layer_norm});
  rules.push_back({"", "SimplifiedLayerNormalization", layer_norm});
  rules.push_back({"com.microsoft", "SimplifiedLayerNormalization", layer_norm});
  rules.push_back({"com.microsoft", "SkipLayerNormalization", skip_layer_norm});
  rules.push_back({"com.microsoft", "SkipSimplifiedLayerNormalization", skip_layer_norm});
  rules.push_back({"", "GroupNormalization", group_norm});
  rules.push_back({"", "LpNormalization", lp_norm});
  rules.push_back({"", "MeanVarianceNormalization", mean_variance_norm});
  rules.push_back({"", "LRN", local_response});
  for (std::string_view op : {"Softmax", "LogSoftmax", "Hardmax"}) rules.push_back({"", op, softmax});
}

}  // namespace coppice::coupling
