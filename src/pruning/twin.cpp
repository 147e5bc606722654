#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "coppice/base/at.hpp"
#include "coppice/pruning/cut.hpp"

#include "pruning/inputs.hpp"
#include "pruning/zero_flow.hpp"

namespace coppice::pruning {
namespace {

using graph::Tensor;
using graph::ValueId;

// Adds nodes in front of the node in hand.
class Masker {
 public:
  Masker(const Prepared& prepared, std::span<const std::uint8_t> removed, const ZeroFlow& flow, graph::Model& model)
      : p_(prepared), removed_(removed), flow_(flow), model_(model) {}

  void run() {
    std::map<std::int32_t, std::vector<coupling::Mix>> by_node;
    for (const coupling::Mix& mix : p_.couplings.mixes())
      if (flow_.leaks(mix)) by_node[mix.node].push_back(mix);
    std::vector<graph::Node> nodes;
    for (std::size_t i = 0; i < p_.model.graph.nodes.size(); ++i) {
      node_ = model_.graph.nodes[i];
      before_.clear();
      replaced_ = false;
      if (const auto it = by_node.find(static_cast<std::int32_t>(i)); it != by_node.end()) treat(it->second);
      nodes.insert(nodes.end(), before_.begin(), before_.end());
      if (!replaced_) nodes.push_back(node_);
    }
    model_.graph.nodes = std::move(nodes);
  }

 private:
  struct Mask {
    std::vector<double> keep;  // 1 or 0 per index
  };

  const graph::Fact& fact(ValueId value) const { return p_.first[at(value)]; }
  graph::Graph& g() { return model_.graph; }

  Mask mask_of(ValueId value, std::size_t axis) const {
    const coupling::Axis& a = p_.couplings.axes(value)[axis];
    const auto kept = p_.couplings.kept(a, removed_);
    Mask out{std::vector<double>(static_cast<std::size_t>(a.length), 0.0)};
    for (std::int64_t i : kept) out.keep[static_cast<std::size_t>(i)] = 1;
    return out;
  }

  // Makes the mask's sum in each of `parts` equal blocks what it was before.
  static void weigh(Mask& mask, std::size_t parts) {
    const std::size_t per = mask.keep.size() / parts;
    for (std::size_t begin = 0; begin + per <= mask.keep.size() && per > 0; begin += per) {
      double left = 0;
      for (std::size_t i = begin; i < begin + per; ++i) left += mask.keep[i];
      for (std::size_t i = begin; i < begin + per; ++i) mask.keep[i] *= static_cast<double>(per) / std::max(left, 1.0);
    }
  }

  static graph::Shape along(std::int64_t length, std::size_t rank, std::size_t axis) {
    graph::Shape shape(rank - axis, 1);
    shape[0] = length;
    return shape;
  }

  ValueId constant(Tensor tensor) {
    const ValueId id = g().fresh("twin_mask");
    g().add_initializer(g().values[at(id)].name, std::move(tensor));
    return id;
  }
  ValueId reals(graph::DType dtype, graph::Shape shape, const std::vector<double>& values) {
    return constant(tensor::from_doubles(dtype, std::move(shape), values));
  }
  ValueId scalar(graph::DType dtype, double value) { return reals(dtype, {}, {value}); }

  ValueId add(std::string_view op, std::vector<ValueId> inputs, std::vector<graph::Attribute> attributes = {}) {
    const ValueId out = g().fresh("twin");
    emit(op, std::move(inputs), std::move(attributes), out);
    return out;
  }
  void emit(std::string_view op, std::vector<ValueId> inputs, std::vector<graph::Attribute> attributes, ValueId out) {
    graph::Node n;
    n.op = op;
    n.name = g().values[at(out)].name + "_twin";
    n.inputs = std::move(inputs);
    n.outputs = {out};
    n.attributes = std::move(attributes);
    before_.push_back(std::move(n));
  }
  static graph::Attribute attribute(std::string name, graph::AttributeValue value) {
    graph::Attribute a;
    a.name = std::move(name);
    a.value = std::move(value);
    return a;
  }
  ValueId reduce_mean(ValueId x, std::vector<std::int64_t> axes) {
    if (model_.opset() >= 18) return add("ReduceMean", {x, constant(Tensor::ints(axes))});
    return add("ReduceMean", {x}, {attribute("axes", std::move(axes))});
  }

  void treat(const std::vector<coupling::Mix>& mixes) {
    const bool statistics = std::any_of(mixes.begin(), mixes.end(),
                                        [](const coupling::Mix& m) { return m.how == coupling::Mixing::statistics; });
    if (statistics) {
      normalise(mixes);
      return;
    }
    for (const coupling::Mix& mix : mixes) {
      mask_operand(mix);
      if (mix.other < 0 || !flow_.wild(p_.model.graph.nodes[at(mix.node)].inputs[at(mix.other)])) continue;
      coupling::Mix reverse = mix;
      std::swap(reverse.operand, reverse.other);
      std::swap(reverse.axis, reverse.other_axis);
      mask_operand(reverse);
    }
  }

  void mask_operand(const coupling::Mix& mix) {
    const auto operand = static_cast<std::size_t>(mix.operand);
    const ValueId original = p_.model.graph.nodes[at(mix.node)].inputs[operand];
    node_.inputs[operand] = masked(node_.inputs[operand], original, mix);
  }

  // `value` with what is removed along the mix's axis made neutral for the mixing.
  ValueId masked(ValueId value, ValueId original, const coupling::Mix& mix) {
    const graph::DType dtype = fact(original).dtype;
    const std::size_t rank = fact(original).rank(), axis = static_cast<std::size_t>(mix.axis);
    Mask mask = mask_of(original, axis);
    const graph::Shape shape = along(static_cast<std::int64_t>(mask.keep.size()), rank, axis);
    double neutral = 0;
    if (flow_.wild(original) && tensor::is_real(dtype)) value = selected(value, dtype, shape, mask.keep, 0);
    switch (mix.how) {
      case coupling::Mixing::mean:
        weigh(mask, 1);
        [[fallthrough]];
      case coupling::Mixing::sum:
      case coupling::Mixing::contraction:
      case coupling::Mixing::range:
      case coupling::Mixing::state:
        if (tensor::is_real(dtype)) return add("Mul", {value, reals(dtype, shape, mask.keep)});
        neutral = quantised_zero(mix);
        break;
      case coupling::Mixing::product:
        neutral = 1;
        break;
      case coupling::Mixing::max:
      case coupling::Mixing::exponential:
        neutral = -std::numeric_limits<double>::infinity();
        break;
      case coupling::Mixing::min:
        neutral = std::numeric_limits<double>::infinity();
        break;
      case coupling::Mixing::statistics:
        break;
    }
    return selected(value, dtype, shape, mask.keep, neutral);
  }

  // `value` where `keep` is not zero, else `other`; an infinite `other` stands for the type's largest or smallest.
  ValueId selected(ValueId value, graph::DType dtype, const graph::Shape& shape, const std::vector<double>& keep,
                   double other) {
    if (model_.opset() >= 9) {
      std::vector<std::int64_t> flags;
      for (double k : keep) flags.push_back(k != 0);
      const ValueId condition = constant(tensor::from_ints(graph::DType::boolean, shape, flags));
      const ValueId rest = tensor::is_real(dtype) ? scalar(dtype, other)
                                                  : constant(tensor::from_ints(dtype, {}, {{whole(dtype, other)}}));
      return add("Where", {condition, value, rest});
    }
    const double finite = std::clamp(other, -6e4, 6e4);
    std::vector<double> ones, rest;
    for (double k : keep) {
      ones.push_back(k != 0 ? 1 : 0);
      rest.push_back(k != 0 ? 0 : finite);
    }
    return add("Add", {add("Mul", {value, reals(dtype, shape, ones)}), reals(dtype, shape, rest)});
  }

  static std::int64_t whole(graph::DType dtype, double value) {
    const int bits = std::clamp(tensor::bit_width(dtype), 1, 64);
    const bool is_signed = dtype == graph::DType::int8 || dtype == graph::DType::int16 ||
                           dtype == graph::DType::int32 || dtype == graph::DType::int64;
    const bool boolean = dtype == graph::DType::boolean;
    const auto largest = static_cast<std::int64_t>(~std::uint64_t{0} >> (bits == 64 ? 1 : 64 - bits + is_signed));
    if (std::isinf(value)) return value > 0 ? (boolean ? 1 : largest) : is_signed ? -largest - 1 : 0;
    return static_cast<std::int64_t>(value);
  }

  double quantised_zero(const coupling::Mix& mix) const {
    const graph::Node& node = p_.model.graph.nodes[at(mix.node)];
    const Tensor* t = p_.model.graph.constant(node.input(2));  // of operand 0, in every quantised product
    return t && t->elements() == 1 ? tensor::element_as_double(*t, 0) : 0;
  }

  // y = (x - mean) / sqrt(var + eps) * gamma + beta over survivors, written out.
  void normalise(const std::vector<coupling::Mix>& mixes) {
    const graph::Node& old = p_.model.graph.nodes[at(mixes[0].node)];
    const bool root_mean_square = old.op == "RMSNormalization" || old.op.find("Simplified") != std::string::npos;
    const bool skip = old.op.starts_with("Skip");
    const ValueId original = old.inputs[0];
    const std::size_t rank = fact(original).rank();
    const graph::DType dtype = fact(original).dtype, wide = graph::DType::float32;
    const bool cast = dtype == graph::DType::float16 || dtype == graph::DType::bfloat16;
    ValueId x = node_.inputs[0];
    if (skip) {
      x = add("Add", {x, node_.inputs[1]});
      const std::size_t bias = root_mean_square ? 3 : 4;  // there is no beta before it without a mean
      if (node_.input(bias) != graph::no_value) x = add("Add", {x, node_.inputs[bias]});
      if (node_.output(3) != graph::no_value) emit("Identity", {x}, {}, node_.outputs[3]);
    }
    if (cast) x = add("Cast", {x}, {attribute("to", std::int64_t{1})});
    const graph::DType work = cast ? wide : dtype;

    std::vector<std::int64_t> axes;
    if (old.op == "InstanceNormalization" || old.is("GroupNormalization")) {
      for (std::size_t k = 2; k < rank; ++k) axes.push_back(static_cast<std::int64_t>(k));
    } else if (old.op == "MeanVarianceNormalization") {
      const auto given = old.ints("axes");
      axes.assign(given.begin(), given.end());
      if (axes.empty()) axes = {0, 2, 3};
    } else {
      const std::int64_t first = old.int_or("axis", -1);
      for (auto k = static_cast<std::size_t>(first < 0 ? first + static_cast<std::int64_t>(rank) : first); k < rank;
           ++k)
        axes.push_back(static_cast<std::int64_t>(k));
    }
    const bool grouped = old.is("GroupNormalization");
    const std::int64_t groups = grouped ? old.int_or("num_groups", 1) : 1;
    // Masks per cut axis; their product zeroes what is removed and corrects the count of what is left.
    std::vector<ValueId> masks;
    for (const coupling::Mix& mix : mixes) {
      if (mix.operand != 0) continue;
      Mask m = mask_of(original, static_cast<std::size_t>(mix.axis));
      const graph::Shape shape =
          along(static_cast<std::int64_t>(m.keep.size()), rank, static_cast<std::size_t>(mix.axis));
      if (flow_.wild(original)) x = selected(x, work, shape, m.keep, 0);
      weigh(m, grouped && mix.axis == 1 ? static_cast<std::size_t>(groups) : 1);
      masks.push_back(reals(work, shape, m.keep));
    }
    const auto mean = [&](ValueId v) {
      for (ValueId m : masks) v = add("Mul", {v, m});
      if (!grouped) return reduce_mean(v, axes);
      const ValueId folded = add("Reshape", {v, constant(Tensor::ints(std::vector<std::int64_t>{0, groups, -1}))});
      return per_channel(reduce_mean(folded, {2}), groups, fact(original).shape[1], rank);
    };
    const ValueId centre = root_mean_square ? graph::no_value : mean(x);
    const ValueId centred = root_mean_square ? x : add("Sub", {x, centre});
    const ValueId variance = mean(add("Mul", {centred, centred}));
    const double epsilon = old.float_or("epsilon", old.op == "MeanVarianceNormalization" ? 1e-9f : 1e-5f);
    const ValueId deviation = add("Sqrt", {add("Add", {variance, scalar(work, epsilon)})});
    ValueId y = add("Div", {centred, deviation});
    // Mean and inverse deviation are results too; where there is no mean, the inverse deviation may stand in its place.
    if (node_.output(1) != graph::no_value && old.op == "LayerNormalization")
      emit("Identity", {centre}, {}, node_.outputs[1]);
    if (node_.output(1) != graph::no_value && root_mean_square && !skip)
      emit("Reciprocal", {deviation}, {}, node_.outputs[1]);
    if (node_.output(2) != graph::no_value && old.op == "LayerNormalization")
      emit("Reciprocal", {deviation}, {}, node_.outputs[2]);
    if (cast) y = add("Cast", {y}, {attribute("to", static_cast<std::int64_t>(dtype))});
    const std::size_t gamma = skip ? 2 : 1;
    const bool channels = old.op == "InstanceNormalization" || grouped;
    ValueId parts[2] = {node_.input(gamma), root_mean_square ? graph::no_value : node_.input(gamma + 1)};
    for (int i = 0; i < 2; ++i) {
      if (parts[i] == graph::no_value || old.op == "MeanVarianceNormalization") continue;
      ValueId p = parts[i];
      if (channels) {
        std::vector<std::int64_t> shape(rank - 1, 1);
        shape[0] = -1;
        const ValueId flat = add("Reshape", {p, constant(Tensor::ints(shape))});
        p = fact(old.inputs[gamma]).shape[0] == fact(original).shape[1]
                ? flat
                : per_channel(add("Reshape", {p, constant(Tensor::ints(std::vector<std::int64_t>{1, groups, 1}))}),
                              groups, fact(original).shape[1], rank);
      }
      y = add(i == 0 ? "Mul" : "Add", {y, p});
    }
    emit("Identity", {y}, {}, node_.outputs[0]);
    replaced_ = true;
  }

  // [n, groups, 1] to [n, channels, 1...] by repeating within each group.
  ValueId per_channel(ValueId v, std::int64_t groups, std::int64_t channels, std::size_t rank) {
    const ValueId wide = add("Tile", {v, constant(Tensor::ints(std::vector<std::int64_t>{1, 1, channels / groups}))});
    std::vector<std::int64_t> shape(rank, 1);
    shape[0] = 0;
    shape[1] = -1;
    return add("Reshape", {wide, constant(Tensor::ints(shape))});
  }

  const Prepared& p_;
  std::span<const std::uint8_t> removed_;
  const ZeroFlow& flow_;
  graph::Model& model_;
  graph::Node node_;
  std::vector<graph::Node> before_;
  bool replaced_ = false;
};

}  // namespace

graph::Model twin(const Prepared& prepared, std::span<const std::uint8_t> removed) {
  graph::Model out = zeroed(prepared, removed);
  const ZeroFlow flow(prepared, removed);
  Masker(prepared, removed, flow, out).run();
  out.graph.sort();
  graph::retie(out.graph, prepared.untied);
  graph::restore_control_flow(out.graph, prepared.regions);
  list_initializers(out, prepared.model.graph);
  out.graph.check();
  return out;
}

}  // namespace coppice::pruning
