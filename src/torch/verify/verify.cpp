#include "coppice/torch/verify.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "coppice/base/error.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/refill.hpp"

#include "torch/verify/exact_products.hpp"
#include "torch/verify/measure.hpp"
#include "torch/verify/samples.hpp"
#include "torch/verify/weights.hpp"
#include "torch/verify/widen.hpp"

namespace coppice {
namespace {

using pruning::Prepared;
using Removed = std::span<const std::uint8_t>;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

// "a", "b", "c" and 4 more
std::string some(const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) out += (i ? ", \"" : "\"") + names[i] + "\"";
  if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
  return out;
}

// Whether activations are rounded to steps.
bool rounds(const graph::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) {
    return node.op == "QuantizeLinear" || node.op == "DynamicQuantizeLinear" || node.op.starts_with("QLinear");
  });
}

// Distances in one set of weights.
struct Measured {
  std::vector<VerifiedOutput> outputs;
  double error = 0, moved = 0, soft_error = 0;
  int samples = 0;
};

double worst(const std::vector<at::Tensor>& expected, const std::vector<at::Tensor>& found) {
  double out = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) out = std::max(out, verifying::distance(expected[i], found[i]));
  return out;
}

// Throws Unlike for what the pruned model does wrong, Error for what the original does.
struct Unlike : Error {
  using Error::Error;
};

Measured measure(const Prepared& original, Removed removed, const graph::Model& pruned, const VerifyOptions& options) {
  std::optional<Prepared> wide;
  if (verifying::has_half(original.model)) wide = verifying::widened(original);
  const Prepared& prepared = wide ? *wide : original;
  const graph::Graph& graph = prepared.model.graph;
  std::vector<verifying::Sample> samples = verifying::draw_samples(prepared, options);
  const std::vector<std::uint8_t> none(removed.size(), 0);
  const auto before = verifying::run(pruning::soften(prepared, none), graph, samples, options.device, true);
  const auto twin = verifying::run(pruning::twin(prepared, removed), graph, samples, options.device);
  verifying::Results after, soft;
  try {
    after = verifying::run(pruned, graph, samples, options.device);
  } catch (const Error& error) {
    throw Unlike(std::string("the pruned model: ") + error.what());
  }
  if (pruning::inexactness(prepared, removed).empty())
    soft = verifying::run(pruning::soften(prepared, removed), graph, samples, options.device);

  Measured out;
  out.samples = static_cast<int>(samples.size());
  // A step of rounding may flip between twin and pruned model, but not on all inputs.
  std::size_t first = 0, last = samples.size();
  if (rounds(graph)) {
    for (std::size_t s = 1; s < last; ++s)
      if (worst(twin[s], after[s]) < worst(twin[first], after[first])) first = s;
    last = first + 1;
  }
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    VerifiedOutput row{std::string(graph.name_of(graph.outputs[i])), twin[0][i].sizes().vec()};
    for (std::size_t s = 0; s < samples.size(); ++s) {
      row.moved = std::max(row.moved, verifying::distance(twin[s][i], before[s][i]));
      if (s < first || s >= last) continue;
      row.error = std::max(row.error, verifying::distance(twin[s][i], after[s][i]));
      if (!soft.empty()) out.soft_error = std::max(out.soft_error, verifying::distance(soft[s][i], after[s][i]));
    }
    out.error = std::max(out.error, row.error);
    out.moved = std::max(out.moved, row.moved);
    out.outputs.push_back(std::move(row));
  }
  return out;
}

void take(Verification& result, const Measured& measured) {
  for (std::size_t i = 0; i < measured.outputs.size(); ++i) {
    if (i == result.outputs.size()) result.outputs.push_back(measured.outputs[i]);
    result.outputs[i].error = std::max(result.outputs[i].error, measured.outputs[i].error);
    result.outputs[i].moved = measured.outputs[i].moved;
  }
  result.error = std::max(result.error, measured.error);
  result.soft_error = std::max(result.soft_error, measured.soft_error);
  result.moved = measured.moved;
  result.samples = measured.samples;
}

std::string complaint(const Verification& v, bool cuts, double tolerance) {
  const std::string limit = "; up to " + number(tolerance) + " counts as rounding";
  for (const VerifiedOutput& output : v.outputs)
    if (!(output.error <= tolerance))
      return "output \"" + output.name + "\" differs by " + number(output.error) + " from the twin's" + limit;
  if (!(v.soft_error <= tolerance))
    return "the cut is exact, but outputs differ by " + number(v.soft_error) + " from the softened model's" + limit;
  if (cuts && !(v.moved > tolerance))
    return "the outputs say nothing: the cut moves them by " + number(v.moved) + limit;
  return {};
}

void check(const Prepared& original, Removed removed, const VerifyOptions& options) {
  if (removed.size() != original.couplings.units().size())
    throw Error("verify: expected one mark for each of " + std::to_string(original.couplings.units().size()) +
                " units, found " + std::to_string(removed.size()));
  if (options.samples < 1)
    throw Error("verify: expected at least one sample, found " + std::to_string(options.samples));
  if (!(options.tolerance > 0)) throw Error("verify: expected a tolerance above 0, found " + number(options.tolerance));
}

}  // namespace

Verification verify(const Prepared& original, Removed removed, const graph::Model& pruned,
                    const VerifyOptions& options) {
  check(original, removed, options);
  const verifying::ExactProducts exact_products(options.device);
  Verification result;
  result.structure_only = options.structure_only;
  for (const pruning::Inexact& inexact : pruning::inexactness(original, removed))
    result.inexact.push_back(inexact.text);
  result.exact = result.inexact.empty();

  const graph::Model reference = pruning::cut(original, removed, pruning::Gathering::later);
  const verifying::Likeness likeness = verifying::liken(reference, pruned);
  result.changed = likeness.changed;
  try {
    const auto placed = [&](const graph::Model& weights) {
      try {
        return likeness.same_structure ? weights : verifying::with_weights(pruned, weights);
      } catch (const Error& error) {
        throw Unlike(std::string("the weights of the cut have no place in the pruned model: ") + error.what());
      }
    };
    take(result, measure(original, removed, options.structure_only ? placed(reference) : pruned, options));
    const bool cuts = std::any_of(removed.begin(), removed.end(), [](std::uint8_t gone) { return gone != 0; });
    const bool trusted = options.structure_only || likeness.changed.empty();
    if (cuts && trusted && !(result.moved > options.tolerance)) {
      const Prepared live = pruning::refill(original, options.seed);
      take(result, measure(live, removed, placed(pruning::cut(live, removed)), options));
      result.refilled = true;
    }
    result.why_not = complaint(result, cuts, options.tolerance);
  } catch (const Unlike& error) {
    result.why_not = error.what();
  }
  if (!likeness.misfits.empty())
    result.why_not = "not this cut of the original: constant " + likeness.misfits.front();
  else if (!likeness.changed.empty() && !options.structure_only)
    result.why_not = "the weights of " + some(likeness.changed) +
                     " are not what cutting the original gives: other units went, or they were changed since";
  result.passed = result.why_not.empty();
  return result;
}

}  // namespace coppice
