#include <cmath>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// What is reduced, and how; an empty list of axes means all of them.
struct Reduction {
  Ints axes;
  bool keep = false;
};

Reduction reduction(Site& site, std::size_t axes, std::size_t keep) {
  Reduction out{site.ints(axes), site.flag(keep)};
  for (std::int64_t& axis : out.axes) axis = site.axis(axis, site.rank(0));
  if (site.rank(0) == 0) out.axes.clear();
  return out;
}

// ReduceSum has its axes as an operand in opset 17, the others as an attribute.
ValueId reduced(Site& site, std::string_view op, ValueId x, const Reduction& over, std::string_view part = {}) {
  std::vector<ValueId> inputs{x};
  std::vector<Attribute> attributes{attr("keepdims", over.keep ? 1 : 0)};
  if (!over.axes.empty() && op == "ReduceSum") inputs.push_back(site.constant(over.axes, "axes"));
  if (!over.axes.empty() && op != "ReduceSum") attributes.push_back(attr("axes", over.axes));
  return site.op(op, std::move(inputs), std::move(attributes), part);
}

std::int64_t extent(Site& site, const Reduction& over) {
  const Ints shape = site.shape(0);
  if (over.axes.empty()) return tensor::element_count(shape);
  std::int64_t out = 1;
  for (const std::int64_t axis : over.axes) out *= shape[static_cast<std::size_t>(axis)];
  return out;
}

// (x, element type) or (x, axes, keep, element type)
bool plain(Site& site, std::string_view op) {
  const bool all = site.count() <= 2;
  site.out(reduced(site, op, site.in(0, site.out_dtype()), all ? Reduction() : reduction(site, 1, 2)));
  return true;
}

bool mean(Site& site) {
  return plain(site, "ReduceMean");
}

bool sum(Site& site) {
  return plain(site, "ReduceSum");
}

bool prod(Site& site) {
  return plain(site, "ReduceProd");
}

// (x, axes, keep)
bool extremes(Site& site, std::string_view op) {
  site.out(reduced(site, op, site.in(0), reduction(site, 1, 2)));
  return true;
}

bool amax(Site& site) {
  return extremes(site, "ReduceMax");
}

bool amin(Site& site) {
  return extremes(site, "ReduceMin");
}

// (x), (x, other) or (x, axis, keep) with the places.
bool extreme(Site& site, std::string_view reduce, std::string_view arg, std::string_view elementwise) {
  if (site.dtype(0) == at::kBool) return false;
  if (site.is_tensor(1)) {
    site.out(site.op(elementwise, {site.in(0, site.out_dtype()), site.in(1, site.out_dtype())}));
    return true;
  }
  const bool all = site.count() == 1;
  const Reduction over = all ? Reduction() : reduction(site, 1, 2);
  site.out(reduced(site, reduce, site.in(0), over));
  if (!all && site.results() > 1 && site.wanted(1)) {
    if (over.axes.empty()) return false;
    site.out(site.op(arg, {site.in(0)}, {attr("axis", over.axes[0]), attr("keepdims", over.keep ? 1 : 0)}, "places"),
             1);
  }
  return true;
}

bool max(Site& site) {
  return extreme(site, "ReduceMax", "ArgMax", "Max");
}

bool min(Site& site) {
  return extreme(site, "ReduceMin", "ArgMin", "Min");
}

// (x, axis, keep); without an axis, over all elements in a row.
bool arg_extreme(Site& site) {
  const std::string_view op = site.name() == "argmax" ? "ArgMax" : "ArgMin";
  if (site.has(1)) {
    site.out(site.op(op, {site.in(0)}, {attr("axis", site.axis_of(1)), attr("keepdims", site.flag(2) ? 1 : 0)}));
    return true;
  }
  if (site.flag(2)) return false;
  const ValueId row = site.op("Reshape", {site.in(0), site.constant({-1}, "shape")}, {}, "row");
  site.out(site.op(op, {row}, {attr("axis", 0), attr("keepdims", 0)}));
  return true;
}

// Where something holds: the largest of 0 and 1.
bool any_all(Site& site) {
  const Reduction over = site.count() == 1 ? Reduction() : reduction(site, 1, 2);
  const ValueId truth = site.cast(site.in(0), site.dtype(0), at::kBool, "truth");
  const ValueId ones = site.cast(truth, at::kBool, at::kInt, "ones");
  const ValueId held = reduced(site, site.name() == "any" ? "ReduceMax" : "ReduceMin", ones, over, "held");
  site.out(site.cast(held, at::kInt, at::kBool, ""));
  return true;
}

struct Moments {
  ValueId mean = graph::no_value, variance = graph::no_value;
};

// (x, unbiased), (x, axes, unbiased, keep) or (x, axes, correction, keep)
Moments moments(Site& site) {
  const bool all = site.count() <= 2;
  Reduction over = all ? Reduction() : reduction(site, 1, 3);
  const double correction = all ? site.real(1, 1) : site.real(2, 1);
  const bool keep = over.keep;
  over.keep = true;
  const ValueId mean = reduced(site, "ReduceMean", site.in(0), over, "mean");
  const ValueId centred = site.op("Sub", {site.in(0), mean}, {}, "centred");
  const ValueId square = site.op("Mul", {centred, centred}, {}, "square");
  over.keep = keep;
  Moments out;
  out.variance = reduced(site, "ReduceMean", square, over, "variance");
  const auto count = static_cast<double>(extent(site, over));
  if (correction != 0)
    out.variance = site.op(
        "Mul", {out.variance, site.scalar(count / (count - correction), site.dtype(0), "correction")}, {}, "corrected");
  if (site.results() > 1 && site.wanted(1)) out.mean = reduced(site, "ReduceMean", site.in(0), over, "second_mean");
  return out;
}

bool variance(Site& site) {
  const Moments found = moments(site);
  site.out(found.variance);
  if (found.mean != graph::no_value) site.out(found.mean, 1);
  return true;
}

bool deviation(Site& site) {
  const Moments found = moments(site);
  site.out(site.op("Sqrt", {found.variance}));
  if (found.mean != graph::no_value) site.out(found.mean, 1);
  return true;
}

bool vector_norm(Site& site, double order, const Reduction& over) {
  const ValueId x = site.in(0, site.out_dtype());
  if (order == 1 || order == 2) {
    site.out(reduced(site, order == 1 ? "ReduceL1" : "ReduceL2", x, over));
    return true;
  }
  const ValueId size = site.op("Abs", {x}, {}, "abs");
  if (std::isinf(order)) {
    site.out(reduced(site, order > 0 ? "ReduceMax" : "ReduceMin", size, over));
    return true;
  }
  if (order == 0) return false;
  const ValueId powers = site.op("Pow", {size, site.scalar(order, site.out_dtype(), "order")}, {}, "powers");
  const ValueId sum = reduced(site, "ReduceSum", powers, over, "sum");
  site.out(site.op("Pow", {sum, site.scalar(1 / order, site.out_dtype(), "root")}));
  return true;
}

// (x, p), (x, p, element type), (x, p, axes, keep) and these with an element type.
bool norm(Site& site) {
  return vector_norm(site, site.real(1, 2), site.is_list(2) ? reduction(site, 2, 3) : Reduction());
}

// (x, order, axes, keep, element type)
bool linalg_vector_norm(Site& site) {
  return vector_norm(site, site.real(1, 2), reduction(site, 2, 3));
}

// (a, b, axis, epsilon)
bool cosine_similarity(Site& site) {
  if (site.rank(0) != site.rank(1)) return false;
  const Reduction over{{site.axis(site.integer(2, 1), site.rank(0))}, false};
  const ValueId least = site.scalar(site.real(3, 1e-8), site.dtype(0), "epsilon");
  const auto length = [&](std::size_t i, std::string_view part) {
    const ValueId norm = reduced(site, "ReduceL2", site.in(i), over, part);
    return site.op("Max", {norm, least}, {}, std::string(part) + "_bounded");
  };
  const ValueId products = site.op("Mul", {site.in(0), site.in(1)}, {}, "products");
  const ValueId product = reduced(site, "ReduceSum", products, over, "product");
  site.out(site.op("Div", {product, site.op("Mul", {length(0, "first"), length(1, "second")}, {}, "lengths")}));
  return true;
}

// (a, b, p, epsilon, keep)
bool pairwise_distance(Site& site) {
  const double order = site.real(2, 2);
  if (order != 1 && order != 2) return false;
  const ValueId difference = site.op("Sub", {site.in(0), site.in(1)}, {}, "difference");
  const ValueId moved =
      site.op("Add", {difference, site.scalar(site.real(3, 1e-6), site.dtype(0), "epsilon")}, {}, "moved");
  site.out(reduced(site, order == 1 ? "ReduceL1" : "ReduceL2", moved, {{-1}, site.flag(4)}));
  return true;
}

bool logsumexp(Site& site) {
  return extremes(site, "ReduceLogSumExp");
}

bool cumsum(Site& site) {
  site.out(site.op(
      "CumSum", {site.in(0, site.out_dtype()), site.scalar(static_cast<double>(site.axis_of(1)), at::kLong, "axis")}));
  return true;
}

void sorted(Site& site, std::int64_t count, std::int64_t axis, bool largest) {
  const auto found = site.ops("TopK", {site.in(0), site.constant({count}, "count")}, 2,
                              {attr("axis", axis), attr("largest", largest ? 1 : 0), attr("sorted", 1)});
  if (site.results() == 1) {
    site.out(found[1]);  // argsort
    return;
  }
  site.out(found[0]);
  site.out(found[1], 1);
}

// (x, k, axis, largest, sorted)
bool topk(Site& site) {
  sorted(site, site.integer(1), site.axis(site.integer(2, -1), site.rank(0)), site.flag(3, true));
  return true;
}

// (x, axis, descending) or (x, stable, axis, descending)
bool sort(Site& site) {
  if (site.rank(0) == 0) return false;
  const std::size_t first = site.count() > 3 ? 2 : 1;
  if (first == 2 && site.flag(1)) return false;
  const std::int64_t axis = site.axis(site.integer(first, -1), site.rank(0));
  sorted(site, site.shape(0)[static_cast<std::size_t>(axis)], axis, site.flag(first + 1));
  return true;
}

}  // namespace

void add_reduce_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"mean", mean});
  rules.push_back({"sum", sum});
  rules.push_back({"prod", prod});
  rules.push_back({"amax", amax});
  rules.push_back({"amin", amin});
  rules.push_back({"max", max});
  rules.push_back({"min", min});
  rules.push_back({"argmax", arg_extreme});
  rules.push_back({"argmin", arg_extreme});
  rules.push_back({"any", any_all});
  rules.push_back({"all", any_all});
  rules.push_back({"var", variance});
  rules.push_back({"var_mean", variance});
  rules.push_back({"std", deviation});
  rules.push_back({"std_mean", deviation});
  rules.push_back({"norm", norm});
  rules.push_back({"linalg_vector_norm", linalg_vector_norm});
  rules.push_back({"cosine_similarity", cosine_similarity});
  rules.push_back({"pairwise_distance", pairwise_distance});
  rules.push_back({"logsumexp", logsumexp});
  rules.push_back({"cumsum", cumsum});
  rules.push_back({"topk", topk});
  rules.push_back({"sort", sort});
  rules.push_back({"argsort", sort});
}

}  // namespace coppice::tracing
