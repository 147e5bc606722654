#include "pruning/zero_flow.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "coppice/base/at.hpp"

#include "pruning/zero_operators.hpp"

namespace coppice::pruning {

ZeroFlow::ZeroFlow(const Prepared& prepared, std::span<const std::uint8_t> removed)
    : p_(prepared),
      removed_(removed),
      track_cut_(prepared.couplings.track_count(), 0),
      zero_(prepared.model.graph.values.size(), 0),
      zeroable_(prepared.model.graph.values.size(), 0),
      wild_(prepared.model.graph.values.size(), 0) {
  for (std::size_t t = 0; t < track_cut_.size(); ++t) {
    const auto units = p_.couplings.track(static_cast<coupling::TrackId>(t));
    track_cut_[t] = std::any_of(units.begin(), units.end(), [&](std::int32_t u) { return removed_[at(u)] != 0; });
  }
  mark_zeroable();
  const graph::Graph& g = p_.model.graph;
  for (std::size_t v = 0; v < zero_.size(); ++v) {
    const auto id = static_cast<graph::ValueId>(v);
    zero_[v] = !any_cut(id) || (g.constant(id) && zeroable_[v]);
  }
  for (const graph::Node& node : g.nodes) {
    if (node.is("Constant")) continue;
    for (graph::ValueId o : node.outputs) {
      if (o == graph::no_value || !any_cut(o)) continue;
      wild_[at(o)] = node_wild(node);
      zero_[at(o)] = !wild_[at(o)] && node_zero(node, o);
    }
  }
}

bool ZeroFlow::is_cut(const coupling::Axis& axis) const {
  if (axis.factors < 0) return axis.track != coupling::no_track && track_cut_[at(axis.track)];
  const auto factors = p_.couplings.factors(axis);
  return std::any_of(factors.begin(), factors.end(), [&](const coupling::Factor& f) {
    return f.track != coupling::no_track && track_cut_[at(f.track)];
  });
}

bool ZeroFlow::any_cut(graph::ValueId value) const {
  const auto axes = p_.couplings.axes(value);
  return std::any_of(axes.begin(), axes.end(), [&](const coupling::Axis& a) { return is_cut(a); });
}

// Backwards, so that a constant behind Transpose or DequantizeLinear is judged by the final reader.
void ZeroFlow::mark_zeroable() {
  const graph::Graph& g = p_.model.graph;
  std::vector<std::uint8_t> harmful(g.values.size(), 0);
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    const graph::Node& node = g.nodes[i];
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const graph::ValueId v = node.inputs[k];
      if (v == graph::no_value || !p_.couplings.constant(v)) continue;
      const bool passes_on = node.output(0) != graph::no_value && p_.couplings.constant(node.output(0));
      if (!harmless_reader(node, k) || (passes_on && harmful[at(node.outputs[0])])) harmful[at(v)] = 1;
    }
  }
  for (std::size_t v = 0; v < zeroable_.size(); ++v)
    zeroable_[v] = g.constant(static_cast<graph::ValueId>(v)) && !harmful[v];
}

// The value has a cut axis at this place, counted from the right, and is zero there.
bool ZeroFlow::covers(graph::ValueId value, std::size_t from_right) const {
  if (value == graph::no_value || !zero_[at(value)]) return false;
  const auto axes = p_.couplings.axes(value);
  return from_right < axes.size() && is_cut(axes[axes.size() - 1 - from_right]);
}

bool ZeroFlow::all_cover(const graph::Node& node, graph::ValueId output, std::span<const std::size_t> operands) const {
  const auto axes = p_.couplings.axes(output);
  for (std::size_t r = 0; r < axes.size(); ++r) {
    if (!is_cut(axes[axes.size() - 1 - r])) continue;
    for (std::size_t i : operands)
      if (node.input(i) != graph::no_value && !covers(node.input(i), r)) return false;
  }
  return true;
}

bool ZeroFlow::one_covers(const graph::Node& node, graph::ValueId output, std::span<const std::size_t> operands) const {
  const auto axes = p_.couplings.axes(output);
  for (std::size_t r = 0; r < axes.size(); ++r) {
    if (!is_cut(axes[axes.size() - 1 - r])) continue;
    if (std::none_of(operands.begin(), operands.end(), [&](std::size_t i) { return covers(node.input(i), r); }))
      return false;
  }
  return true;
}

// Columns come from b, rows from a, and of the batch axes either will do.
bool ZeroFlow::product_zero(const graph::Node& node, graph::ValueId output, std::size_t a, std::size_t b) const {
  const auto axes = p_.couplings.axes(output);
  const graph::ValueId x = node.input(a), y = node.input(b);
  if (x == graph::no_value || y == graph::no_value) return false;
  const bool rows = p_.couplings.axes(x).size() > 1, columns = p_.couplings.axes(y).size() > 1;
  for (std::size_t r = 0; r < axes.size(); ++r) {
    if (!is_cut(axes[axes.size() - 1 - r])) continue;
    const std::size_t full = r + (columns ? 0 : 1);  // with the place of a vector's missing axis
    const std::size_t place = full > 0 && !rows ? full + 1 : full;
    const bool covered = place == 0 ? covers(y, 0) : place == 1 ? covers(x, 1) : covers(x, place) || covers(y, place);
    if (!covered) return false;
  }
  return true;
}

bool ZeroFlow::positive_exponent(const graph::Node& node) const {
  const graph::Tensor* exponent = p_.model.graph.constant(node.input(1));
  return exponent && exponent->elements() == 1 && tensor::element_as_double(*exponent, 0) > 0;
}

bool ZeroFlow::node_wild(const graph::Node& node) const {
  if (std::any_of(node.inputs.begin(), node.inputs.end(), [&](graph::ValueId v) { return wild(v); })) return true;
  const auto made_zero = [&](std::size_t i) {
    return node.input(i) != graph::no_value && any_cut(node.input(i)) && zero(node.input(i));
  };
  if (node.is("Div") || node.is("Mod")) return made_zero(1);
  if (node.is("Pow")) return made_zero(0) && !positive_exponent(node);
  // What was set to zero has the same value everywhere, and not every runtime guards the deviation of that.
  if (node.is("MeanVarianceNormalization")) return any_cut(node.input(0));
  static const std::set<std::string_view> poles{"Log", "Reciprocal", "ReduceLogSum", "Acosh"};
  return poles.contains(node.op) && made_zero(0);
}

// A head whose values are zero gives zero, whatever its scores are.
bool ZeroFlow::attention_zero(const graph::Node& node, graph::ValueId output) const {
  const auto in = [&](std::size_t i) { return zero(node.input(i)); };
  if (node.domain == "com.microsoft" && node.op == "Attention") return output == node.output(0) && in(1) && in(2);
  const bool bias = node.op == "MultiHeadAttention";
  const std::size_t past = node.op == "Attention" ? 4 : node.op == "GroupQueryAttention" ? 3 : 6;
  if (bias && !in(3)) return false;
  if (output == node.output(0)) return all_cover(node, output, std::array<std::size_t, 1>{2});
  if (output == node.output(1)) return in(1) && in(past);
  return output == node.output(2) && in(2) && in(past + 1);
}

bool ZeroFlow::node_zero(const graph::Node& node, graph::ValueId output) const {
  const std::string_view op = node.op;
  const auto in = [&](std::size_t i) { return zero(node.input(i)); };
  std::vector<std::size_t> all(node.inputs.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  static const std::set<std::string_view> sums{"Add", "Sub", "Sum", "Mean", "Max", "Min", "BiasGelu", "FastGelu"};
  if (sums.contains(op)) return all_cover(node, output, all);
  if (op == "Mul" || op == "And") return one_covers(node, output, all);
  if (op == "Where") return all_cover(node, output, std::array<std::size_t, 2>{1, 2});
  if (op == "Concat") return std::all_of(all.begin(), all.end(), in);
  if (is_normalisation(node)) {
    // The sum of both operands (and a bias, the last operand) passes by the normalisation.
    if (op.starts_with("Skip") && output == node.output(3))
      return all_cover(node, output, std::array<std::size_t, 3>{0, 1, op == "SkipLayerNormalization" ? 4u : 3u});
    // The statistics may be anything; gamma and beta decide. Only the channel axis may be cut for that to hold.
    const auto out = p_.couplings.axes(output);
    if (std::count_if(out.begin(), out.end(), [&](const coupling::Axis& a) { return is_cut(a); }) != 1) return false;
    const std::size_t gamma = node.op.starts_with("Skip") ? 2 : 1;
    bool gamma_cut = false;
    for (const coupling::Axis& a : p_.couplings.axes(node.input(gamma))) gamma_cut = gamma_cut || is_cut(a);
    return gamma_cut && in(gamma) && in(gamma + 1);
  }
  if (op == "Conv" || op == "ConvTranspose" || op == "FusedConv" || op == "ConvInteger")
    return in(1) && in(2) && (in(0) || !is_cut(p_.couplings.axes(output)[0])) &&
           (op != "FusedConv" || (in(3) && fused_activation_keeps_zero(node)));
  if (op == "QLinearConv") return in(3) && in(8);
  if (op == "MatMul" || op == "MatMulInteger") return product_zero(node, output, 0, 1);
  if (op == "QLinearMatMul") return product_zero(node, output, 0, 3);
  if (op == "Gemm" || op == "FusedGemm") {
    const auto axes = p_.couplings.axes(output);
    if ((is_cut(axes[0]) && !in(0)) || (op == "FusedGemm" && !fused_activation_keeps_zero(node))) return false;
    return (!is_cut(axes[1]) || in(1)) &&
           (node.input(2) == graph::no_value || all_cover(node, output, std::array<std::size_t, 1>{2}));
  }
  if (op == "Einsum") return std::all_of(all.begin(), all.end(), in);
  if (op == "LSTM" || op == "GRU" || op == "RNN")
    return states_stay_zero(node) && in(1) && in(2) && in(3) && in(5) && in(6) && in(7);
  if (op == "Attention" || op == "MultiHeadAttention" || op == "GroupQueryAttention")
    return attention_zero(node, output);
  if (op == "Clip") {
    for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      const graph::Tensor* bound = p_.model.graph.constant(node.input(i));
      if (node.input(i) == graph::no_value) continue;
      if (!bound || bound->elements() != 1) return false;
      const double b = tensor::element_as_double(*bound, 0);
      if (i == 1 ? b > 0 : b < 0) return false;
    }
    return in(0) && node.float_or("min", 0) <= 0 && node.float_or("max", 0) >= 0;
  }
  if (op == "Pad") {
    const graph::Tensor* fill = p_.model.graph.constant(node.input(2));
    const double value =
        fill && fill->elements() == 1 ? tensor::element_as_double(*fill, 0) : node.float_or("value", 0);
    return in(0) && value == 0 && (node.input(2) == graph::no_value || fill);
  }
  if (op == "ConstantOfShape") {
    const graph::Attribute* fill = node.find("value");
    const graph::Tensor* value = fill ? std::get_if<graph::Tensor>(&fill->value) : nullptr;
    return !value || (value->elements() == 1 && tensor::element_as_double(*value, 0) == 0);
  }
  if (op == "Pow") return in(0) && positive_exponent(node);
  // Outside of the image there is another value than the image's.
  if (op == "Resize") return in(0) && node.float_or("extrapolation_value", 0) == 0;
  // Below zero the threshold leaves nothing in between, and zero is moved like everything above it.
  if (op == "Shrink") return in(0) && (node.float_or("lambd", 0.5f) >= 0 || node.float_or("bias", 0) == 0);
  // What the operand stretches to may be cut where the operand itself has nothing to be zero at.
  if (op == "Expand" || op == "Div") return all_cover(node, output, std::array<std::size_t, 1>{0});
  return keeps_zero(op) && in(0);
}

bool ZeroFlow::leaks(const coupling::Mix& mix) const {
  const graph::Node& node = p_.model.graph.nodes[at(mix.node)];
  const graph::ValueId value = node.input(static_cast<std::size_t>(mix.operand));
  const coupling::Axis& axis = p_.couplings.axes(value)[static_cast<std::size_t>(mix.axis)];
  if (!is_cut(axis)) return false;
  switch (mix.how) {
    case coupling::Mixing::sum:
    case coupling::Mixing::range:
    case coupling::Mixing::state:
      return !zero(value);
    case coupling::Mixing::contraction:
      return wild(value) || wild(node.input(static_cast<std::size_t>(mix.other))) ||
             (!zero(value) && !zero(node.input(static_cast<std::size_t>(mix.other))));
    case coupling::Mixing::statistics:
      if (node.is("GroupNormalization") && mix.axis == 1) {
        // Groups that go whole leave the statistics of the others alone.
        const std::int64_t per = axis.length / node.int_or("num_groups", 1);
        std::vector<std::int64_t> left(static_cast<std::size_t>(axis.length / per), 0);
        for (std::int64_t i : p_.couplings.kept(axis, removed_)) ++left[static_cast<std::size_t>(i / per)];
        return std::any_of(left.begin(), left.end(), [&](std::int64_t n) { return n != 0 && n != per; });
      }
      return true;
    default:
      return true;
  }
}

bool ZeroFlow::may_leak(const coupling::Mix& mix) const {
  if (leaks(mix)) return true;
  const graph::Node& node = p_.model.graph.nodes[at(mix.node)];
  if (mix.how != coupling::Mixing::statistics || !node.is("GroupNormalization") || mix.axis != 1) return false;
  // Groups that all go whole leak nothing; parts of them would.
  const coupling::Axis& axis = p_.couplings.axes(node.input(0))[1];
  const auto per = static_cast<std::size_t>(axis.length / node.int_or("num_groups", 1));
  std::vector<std::vector<std::int32_t>> names(static_cast<std::size_t>(axis.length));  // removable units per index
  std::size_t inner = names.size();
  for (const coupling::Factor& f : p_.couplings.factors(axis)) {
    inner /= static_cast<std::size_t>(f.length);
    if (f.track == coupling::no_track) continue;
    const auto track = p_.couplings.track(f.track);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::int32_t unit = track[i / inner % track.size()];
      if (removed_[at(unit)]) names[i].push_back(unit);
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] != names[i / per * per]) return true;
  return false;
}

}  // namespace coppice::pruning
