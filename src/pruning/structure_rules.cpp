#include "pruning/structure_rules.hpp"

#include <algorithm>
#include <map>

#include "pruning/cutter.hpp"

namespace coppice::pruning {
namespace {

std::size_t wrap(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

template <class PerWorldFn>
PerWorld each_world(Cutter& c, PerWorldFn fn) {
  PerWorld out;
  for (std::size_t w = 0; w < c.worlds(); ++w) out.push_back(fn(w));
  return out;
}

bool any_cut(Cutter& c, std::span<const coupling::Axis> axes) {
  return std::any_of(axes.begin(), axes.end(), [&](const coupling::Axis& a) { return c.is_cut(a); });
}

// Kept indices below `limit`.
std::int64_t kept_below(const std::vector<std::int64_t>& kept, std::int64_t limit) {
  return std::lower_bound(kept.begin(), kept.end(), limit) - kept.begin();
}

void conv(Cutter& c) {
  const std::int64_t groups = c.node().int_or("group", 1);
  if (groups == 1) return;
  const bool transposed = c.node().is("ConvTranspose");
  const std::size_t weight = c.node().is("QLinearConv") ? 3 : 1;
  const auto w = c.axes(weight);
  const auto x = c.axes(0);
  if (w.empty() || x.empty()) return;
  // The weight's per-group axis keeps its length or shrinks with every group alike; the groups that are left follow.
  const std::int64_t per_group_in = transposed ? c.kept_count(w[0]) : c.kept_count(w[1]);
  const std::int64_t channels = c.kept_count(x[1]);
  if (per_group_in < 1 || channels < 1) c.fail("no channel would be left");
  std::int64_t now = groups;
  if (!transposed) {
    now = channels / per_group_in;
  } else if (c.old_fact(0, 1).shape[0] == groups) {
    now = channels;
  }
  if (now != groups) c.node().set("group", now);
}

void reshape(Cutter& c) {
  if (!any_cut(c, c.result_axes(0)) && !any_cut(c, c.axes(0))) return;
  const bool zero_copies = c.node().int_or("allowzero", 0) == 0;
  bool known = true;
  const PerWorld wanted = each_world(c, [&](std::size_t w) {
    std::vector<std::int64_t> target;
    const auto old = c.old_fact(w, 1).int_values();
    const auto out = c.planned(c.node().output(0), w), in = c.planned(c.node().input(0), w);
    if (!old || !out || !in || old->size() != out->size()) {
      known = false;
      return target;
    }
    for (std::size_t i = 0; i < old->size(); ++i) {
      const std::int64_t t = (*old)[i];
      const bool copies = t == 0 && zero_copies && i < in->size() && (*in)[i] == (*out)[i];
      target.push_back(t == -1 || copies ? t : (*out)[i]);
    }
    return target;
  });
  if (known) c.require(1, wanted);
}

void expand(Cutter& c) {
  bool known = true;
  const PerWorld wanted = each_world(c, [&](std::size_t w) {
    std::vector<std::int64_t> target;
    const auto old = c.old_fact(w, 1).int_values();
    const auto out = c.planned(c.node().output(0), w);
    if (!old || !out || old->size() > out->size()) {
      known = false;
      return target;
    }
    for (std::size_t i = 0; i < old->size(); ++i)
      target.push_back((*old)[i] == 1 ? 1 : (*out)[out->size() - old->size() + i]);
    return target;
  });
  if (known) c.require(1, wanted);
}

void filled(Cutter& c) {
  bool known = true;
  const PerWorld wanted = each_world(c, [&](std::size_t w) {
    const auto out = c.planned(c.node().output(0), w);
    known = known && out && c.old_fact(w, 0).int_values();
    return out ? *out : graph::Shape{};
  });
  if (known) c.require(0, wanted);
}

void tile(Cutter& c) {
  if (!any_cut(c, c.result_axes(0))) return;
  bool known = true;
  const PerWorld wanted = each_world(c, [&](std::size_t w) {
    const auto out = c.planned(c.node().output(0), w), in = c.planned(c.node().input(0), w);
    std::vector<std::int64_t> repeats;
    known = known && out && in;
    for (std::size_t k = 0; known && k < out->size(); ++k) repeats.push_back((*in)[k] ? (*out)[k] / (*in)[k] : 1);
    return repeats;
  });
  if (known) c.require(1, wanted);
}

void slice(Cutter& c) {
  const auto in = c.axes(0);
  if (!any_cut(c, in)) return;
  const bool attributes = c.node().inputs.size() == 1;
  const auto list = [&](std::size_t w, std::size_t operand,
                        const char* name) -> std::optional<std::vector<std::int64_t>> {
    if (!attributes) return c.old_fact(w, operand).int_values();
    if (!c.node().has(name)) return std::nullopt;
    const auto v = c.node().ints(name);
    return std::vector<std::int64_t>(v.begin(), v.end());
  };
  bool known = true;
  PerWorld starts, ends;
  for (std::size_t w = 0; w < c.worlds(); ++w) {
    auto begin = list(w, 1, "starts"), end = list(w, 2, "ends");
    auto axes = list(w, 3, "axes");
    const auto end_now = c.new_fact(w, 2).int_values();
    if (!begin || !end) {
      known = false;
      break;
    }
    for (std::size_t i = 0; i < begin->size(); ++i) {
      const std::size_t k = axes ? wrap((*axes)[i], in.size()) : i;
      if (!c.is_cut(in[k])) continue;
      const auto kept = c.kept(in[k]);
      const std::int64_t length = in[k].length, left = static_cast<std::int64_t>(kept.size());
      const auto position = [&](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + length : p, 0, length); };
      const std::int64_t b = kept_below(kept, position((*begin)[i]));
      const std::int64_t e = kept_below(kept, position((*end)[i]));
      // Counting from the end, and "up to the end", stay what they are; an end that is computed may follow by itself.
      (*begin)[i] = (*begin)[i] < 0 && b < left ? b - left : b;
      if ((*end)[i] < 0 && e < left)
        (*end)[i] = e - left;
      else if ((*end)[i] < length)
        (*end)[i] = e;
      else if (end_now && end_now->size() == end->size() && (*end_now)[i] >= left)
        (*end)[i] = (*end_now)[i];
    }
    starts.push_back(*begin);
    ends.push_back(*end);
  }
  if (!known) return;
  c.require(1, "starts", starts);
  c.require(2, "ends", ends);
}

void split(Cutter& c) {
  const auto in = c.axes(0);
  const std::size_t axis = wrap(c.node().int_or("axis", 0), in.size());
  if (axis >= in.size() || !c.is_cut(in[axis])) return;
  std::vector<std::int64_t> sizes;
  for (std::size_t o = 0; o < c.node().outputs.size(); ++o) {
    const auto out = c.result_axes(o);
    if (axis >= out.size()) return;
    sizes.push_back(c.kept_count(out[axis]));
  }
  const bool equal = std::all_of(sizes.begin(), sizes.end(), [&](std::int64_t s) { return s == sizes[0]; });
  const bool explicit_sizes = c.node().input(1) != graph::no_value || c.node().has("split");
  if (explicit_sizes) {
    c.require(1, "split", PerWorld(c.worlds(), sizes));
  } else if (!equal) {
    c.node().erase("num_outputs");
    if (c.opset() < 13)
      c.node().set("split", sizes);
    else
      c.replace(1, tensor::Tensor::ints(sizes));
  }
}

void gather(Cutter& c) {
  const auto in = c.axes(0);
  const std::size_t axis = wrap(c.node().int_or("axis", 0), in.size());
  if (axis >= in.size() || !c.is_cut(in[axis])) return;
  const auto indices = c.old_fact(0, 1).int_values();
  if (!indices || c.old_fact(0, 1).rank() > 1) c.fail("indices along a cut axis are not known");
  const auto kept = c.kept(in[axis]);
  std::vector<std::int64_t> now;
  for (std::int64_t i : *indices) {
    if (i < 0) i += in[axis].length;
    const auto at = std::lower_bound(kept.begin(), kept.end(), i);
    if (at != kept.end() && *at == i) now.push_back(at - kept.begin());
  }
  if (now == *indices) return;
  const graph::Shape shape =
      c.old_fact(0, 1).rank() == 0 ? graph::Shape{} : graph::Shape{static_cast<std::int64_t>(now.size())};
  c.replace(1, tensor::from_ints(c.old_fact(0, 1).dtype, shape, now));
}

void pad(Cutter& c) {
  const auto in = c.axes(0), out = c.result_axes(0);
  if (!any_cut(c, out) && !any_cut(c, in)) return;
  bool known = true;
  const PerWorld wanted = each_world(c, [&](std::size_t w) {
    std::vector<std::int64_t> pads;
    if (c.node().input(1) != graph::no_value) {
      const auto v = c.old_fact(w, 1).int_values();
      if (!v)
        known = false;
      else
        pads = *v;
    } else {
      const auto v = c.node().ints("pads");
      pads.assign(v.begin(), v.end());
    }
    const auto axes = c.node().input(3) != graph::no_value ? c.old_fact(w, 3).int_values() : std::nullopt;
    const std::size_t n = pads.size() / 2;
    for (std::size_t i = 0; known && i < n; ++i) {
      const std::size_t k = axes ? wrap((*axes)[i], in.size()) : i;
      if (!c.is_cut(out[k]) && !c.is_cut(in[k])) continue;
      const auto from = c.kept(in[k]), to = c.kept(out[k]);
      std::int64_t &begin = pads[i], &end = pads[i + n];
      const std::int64_t old_begin = begin, old_end = end;
      begin = old_begin >= 0 ? kept_below(to, old_begin) : -kept_below(from, -old_begin);
      end = old_end >= 0 ? static_cast<std::int64_t>(to.size()) - kept_below(to, out[k].length - old_end)
                         : -(static_cast<std::int64_t>(from.size()) - kept_below(from, in[k].length + old_end));
    }
    return pads;
  });
  if (known) c.require(1, "pads", wanted);
}

void resize(Cutter& c) {
  if (!any_cut(c, c.result_axes(0)) || c.node().input(3) == graph::no_value) return;
  bool known = true;
  const PerWorld wanted = each_world(c, [&](std::size_t w) {
    const auto old = c.old_fact(w, 3).int_values();
    const auto out = c.planned(c.node().output(0), w);
    std::vector<std::int64_t> sizes;
    known = known && old && out;
    if (!known) return sizes;
    sizes = *old;
    const auto axes = c.node().ints("axes");
    for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = (*out)[axes.empty() ? i : wrap(axes[i], out->size())];
    return sizes;
  });
  if (known) c.require(3, wanted);
}

void recurrent(Cutter& c) {
  const auto r = c.axes(2);
  if (r.size() == 3 && c.is_cut(r[2])) c.node().set("hidden_size", c.kept_count(r[2]));
}

void group_norm(Cutter& c) {
  const auto x = c.axes(0);
  if (x.size() < 2 || !c.is_cut(x[1])) return;
  c.node().set("num_groups", groups_left(c, c.kept(x[1]), x[1].length, c.node().int_or("num_groups", 1)));
}

}  // namespace

std::int64_t groups_left(Cutter& c, const std::vector<std::int64_t>& kept, std::int64_t length, std::int64_t groups) {
  const std::int64_t per = length / groups;
  std::vector<std::int64_t> left(static_cast<std::size_t>(groups), 0);
  for (std::int64_t i : kept) ++left[static_cast<std::size_t>(i / per)];
  std::erase(left, 0);
  if (std::adjacent_find(left.begin(), left.end(), std::not_equal_to<>()) != left.end())
    c.fail("groups would differ in size");
  return static_cast<std::int64_t>(left.size());
}

StructureRule find_structure_rule(std::string_view domain, std::string_view op) {
  static const std::map<std::string_view, StructureRule> rules{{"Conv", conv},
                                                               {"ConvTranspose", conv},
                                                               {"ConvInteger", conv},
                                                               {"QLinearConv", conv},
                                                               {"Reshape", reshape},
                                                               {"Expand", expand},
                                                               {"ConstantOfShape", filled},
                                                               {"Tile", tile},
                                                               {"Slice", slice},
                                                               {"Split", split},
                                                               {"Gather", gather},
                                                               {"Pad", pad},
                                                               {"Resize", resize},
                                                               {"LSTM", recurrent},
                                                               {"GRU", recurrent},
                                                               {"RNN", recurrent},
                                                               {"GroupNormalization", group_norm}};
  if (const StructureRule attention = find_attention_rule(domain, op)) return attention;
  if (!domain.empty()) return domain == "com.microsoft" && op == "FusedConv" ? conv : nullptr;
  const auto it = rules.find(op);
  return it == rules.end() ? nullptr : it->second;
}

}  // namespace coppice::pruning
