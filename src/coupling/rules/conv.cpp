#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

std::size_t sz(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// Depthwise: input channel i owns outputs i*m .. i*m+m-1; `group` shrinks with the channels.
void depthwise(RuleContext& c, const Axis& x, const Axis& outputs, std::int64_t groups) {
  if (!x.tracked()) {
    c.lock(outputs, x.why);
    return;
  }
  const Axis flat = c.state().flatten(x, c.index());
  if (!flat.tracked()) {
    c.lock(outputs, flat.why);
    return;
  }
  const std::int64_t per = outputs.length / groups;
  const auto in = c.state().ids(flat.track), out = c.state().ids(outputs.track);
  for (std::size_t i = 0; i < out.size(); ++i) c.state().unite(in[i / sz(per)], out[i]);
}

// Ties the indices of a grouped axis that have the same offset in their group.
void tie_offsets(RuleContext& c, const Axis& axis, std::int64_t groups) {
  const auto ids = c.state().ids(axis.track);
  const std::size_t per = ids.size() / sz(groups);
  for (std::size_t i = per; i < ids.size(); ++i) c.state().unite(ids[i % per], ids[i]);
}

// Ties all indices within each group, and the groups of two axes with each other.
void tie_groups(RuleContext& c, const Axis& a, const Axis& b, std::int64_t groups) {
  const auto x = c.state().ids(a.track), y = c.state().ids(b.track);
  const std::size_t px = x.size() / sz(groups), py = y.size() / sz(groups);
  for (std::size_t i = 0; i < x.size(); ++i) c.state().unite(x[i / px * px], x[i]);
  for (std::size_t i = 0; i < y.size(); ++i) c.state().unite(x[i / py * px], y[i]);
}

// X's channels against the weight axis that lists one group's inputs, and the weight axis that lists all outputs.
void grouped(RuleContext& c, Axis x, const Axis& inner, const Axis& outer, std::int64_t groups) {
  if (x.tracked()) x = c.state().flatten(x, c.index());
  if (c.options.whole_groups) {
    c.lock(inner, Reason::split_factor);
    if (x.tracked()) {
      tie_groups(c, x, outer, groups);
    } else {
      c.lock(outer, x.why);
    }
    return;
  }
  tie_offsets(c, outer, groups);
  if (!x.tracked()) {
    c.lock(inner, x.why);
    return;
  }
  tie_offsets(c, x, groups);
  const auto in = c.state().ids(x.track), w = c.state().ids(inner.track);
  for (std::size_t j = 0; j < w.size(); ++j) c.state().unite(in[j], w[j]);
}

void finish(RuleContext& c, std::size_t x, std::size_t w, const Axis& out, int bias) {
  Axis result = out;
  if (bias >= 0 && c.has(static_cast<std::size_t>(bias)))
    result = c.meet(out, c.axis(static_cast<std::size_t>(bias), 0));
  c.set(0, 1, result);
  c.set(0, 0, c.axis(x, 0));
  c.lock_from(x, 2, Reason::fixed_axis);
  c.lock_from(w, 2, Reason::fixed_axis);
}

}  // namespace

void convolution(RuleContext& c, std::size_t x, std::size_t w, int bias) {
  const std::int64_t groups = c.node().int_or("group", 1);
  const std::int64_t channels = c.shape(x)[1];
  const Axis outputs = c.state().flatten(c.axis(w, 0), c.index());
  if (groups == 1) {
    c.mix_contraction(x, 1, w, 1);
  } else if (groups < 1 || c.shape(w)[0] % groups != 0 || channels % groups != 0) {
    c.lock_all(Reason::unknown_shape);
  } else if (!outputs.tracked()) {
    c.lock_all(Reason::mixed_by_reshape);
  } else if (groups == channels && c.shape(w)[1] == 1) {
    depthwise(c, c.axis(x, 1), outputs, groups);
  } else {
    const Axis inner = c.state().flatten(c.axis(w, 1), c.index());
    c.mix_groups(x, 1, w, 1);
    if (inner.tracked())
      grouped(c, c.axis(x, 1), inner, outputs, groups);
    else
      c.lock_all(Reason::mixed_by_reshape);
  }
  finish(c, x, w, outputs, bias);
}

namespace {

void conv(RuleContext& c) {
  convolution(c, 0, 1, 2);
}

// X, W, bias, and a result of the same shape that is added.
void fused_conv(RuleContext& c) {
  if (c.node().int_or("channels_last", 0) != 0) return c.lock_all(Reason::unknown_operator);
  convolution(c, 0, 1, 2);
  if (!c.has(3)) return;
  c.set(0, 1, c.meet(c.result(0, 1), c.axis(3, 1)));
  c.set(0, 0, c.meet(c.result(0, 0), c.axis(3, 0)));
  c.lock_from(3, 2, Reason::fixed_axis);
}

// W is [inputs, outputs per group, kernel...].
void conv_transpose(RuleContext& c) {
  const std::int64_t groups = c.node().int_or("group", 1);
  if (groups == 1) {
    c.mix_contraction(0, 1, 1, 0);
    finish(c, 0, 1, c.axis(1, 1), 2);
    return;
  }
  const std::int64_t outputs = c.out_shape()[1];
  const Axis inputs = c.meet(c.axis(0, 1), c.axis(1, 0));
  const Axis out = c.state().fresh_axis(outputs);
  if (!out.tracked()) return c.lock_all(Reason::mixed_by_reshape);
  if (groups < 1 || outputs % groups != 0 || c.shape(0)[1] % groups != 0) return c.lock_all(Reason::unknown_shape);
  if (groups == c.shape(0)[1]) {
    depthwise(c, inputs, out, groups);
    c.lock(1, 1, Reason::split_factor);  // every channel has as many outputs as the others
  } else {
    c.mix_groups(0, 1, 1, 0);
    const Axis inner = c.axis(1, 1);  // one group's outputs
    const Axis flat = inputs.tracked() ? c.state().flatten(inputs, c.index()) : inputs;
    tie_offsets(c, out, groups);
    if (flat.tracked()) tie_offsets(c, flat, groups);
    const Axis units = c.state().flatten(inner, c.index());
    if (!units.tracked() || units.length != outputs / groups) return c.lock_all(Reason::mixed_by_reshape);
    const auto o = c.state().ids(out.track), w = c.state().ids(units.track);
    for (std::size_t j = 0; j < w.size(); ++j) c.state().unite(o[j], w[j]);
  }
  finish(c, 0, 1, out, 2);
}

}  // namespace

void add_conv_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "Conv", conv});
  rules.push_back({"com.microsoft", "FusedConv", fused_conv});
  rules.push_back({"", "ConvTranspose", conv_transpose});
}

}  // namespace coppice::coupling
