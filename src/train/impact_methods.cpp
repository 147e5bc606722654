#include "train/impact_methods.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/prune.hpp"
#include "coppice/pruning/ratio.hpp"
#include "coppice/torch/calibrated_sparsity.hpp"
#include "coppice/torch/sparsity_scores.hpp"

namespace coppice {
namespace {

constexpr std::string_view expected =
    "expected N:M, or NAME:AMOUNT such as magnitude:50%, channels:25%, heads:50%, snip:90% or wanda:2:4";

Error wrong(std::string_view text) {
  return Error("method: " + std::string(expected) + "; found '" + std::string(text) + "'");
}

bool number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void read_amount(std::string_view text, ImpactMethod& out) {
  const bool structure = out.kind == ImpactKind::channels || out.kind == ImpactKind::heads;
  if (text.find(':') == std::string_view::npos) {
    out.amount = structure ? pruning::parse_ratio(text) : pruning::parse_sparsity(text);
    if (out.amount == 0) throw Error("expected an amount above 0, found '" + std::string(text) + "'");
    return;
  }
  if (structure) throw Error("expected a share, found '" + std::string(text) + "'");
  out.pattern = sparsity::parse_pattern(text);
}

void read_name(std::string_view name, ImpactMethod& out) {
  if (name == "channels" || name == "heads") {
    out.kind = name == "heads" ? ImpactKind::heads : ImpactKind::channels;
    return;
  }
  out.criterion = name == "magnitude" ? "large_final" : std::string(name);
  if (name == "wanda" || name == "sparse_gpt") {
    out.kind = ImpactKind::layers;
    return;
  }
  const Criterion criterion = parse_criterion(out.criterion);
  if (criterion.options().initial) throw Error("it compares with earlier weights, which are not given here");
  out.kind = criterion.weights_only() ? ImpactKind::weights : ImpactKind::scores;
}

bool by_itself(const ImpactMethod& method, const pruning::Prepared& prepared) {
  const std::vector<bool> heads = impact::head_groups(prepared);
  return method.kind != ImpactKind::heads || std::find(heads.begin(), heads.end(), true) != heads.end();
}

graph::Model cut(const graph::Model& model, const ImpactMethod& method, const ImpactOptions& options) {
  const pruning::PrepareOptions preparing{.shapes = options.shapes};
  pruning::SelectOptions selecting;
  selecting.ratio = method.amount;
  selecting.seed = options.seed;
  if (method.kind == ImpactKind::channels)
    return pruning::prune(model, {.prepare = preparing, .select = selecting}).model;
  pruning::Prepared prepared = pruning::prepare(model, preparing);
  if (!by_itself(method, prepared)) throw Error("no attention heads that can be cut");
  const std::vector<bool> heads = impact::head_groups(prepared);
  for (std::size_t group = 0; group < heads.size(); ++group) {
    if (heads[group]) continue;
    const std::vector<std::int32_t> units = prepared.couplings.groups()[group].units;
    prepared.couplings.lock(units, coupling::Reason::ignored, -1);
  }
  const pruning::Selection selection = pruning::select(prepared, selecting);
  pruning::PruneOptions replay{.prepare = preparing};
  replay.plan = pruning::make_plan(prepared, selection.removed, {});
  return pruning::prune(model, replay).model;
}

graph::Model layer_by_layer(const graph::Model& model, const ImpactMethod& method, const ImpactOptions& options,
                            const sparsity::SparsifyOptions& what) {
  GraphModule module{graph::Model(model)};
  module.to(options.device);
  CalibratedOptions calibrated;
  calibrated.method = parse_sparsity_method(method.criterion);
  calibrated.what = what;
  calibrated.calibration = options.calibration;
  sparsify_calibrated(module, calibrated);
  return module.model();
}

}  // namespace

bool ImpactMethod::needs_labels() const {
  return kind == ImpactKind::scores && parse_criterion(criterion).options().needs_loss();
}

ImpactMethod parse_impact_method(std::string_view text) {
  ImpactMethod out;
  out.text = text;
  const std::size_t mark = text.find(':');
  if (mark == std::string_view::npos || mark == 0 || mark + 1 == text.size()) throw wrong(text);
  try {
    if (number(text.substr(0, mark))) {
      out.criterion = "large_final";
      out.pattern = sparsity::parse_pattern(text);
      return out;
    }
    read_name(text.substr(0, mark), out);
    read_amount(text.substr(mark + 1), out);
  } catch (const Error& error) {
    throw Error("method '" + out.text + "': " + error.what());
  }
  return out;
}

std::vector<std::string> usual_impact_methods(const graph::Model& model) {
  std::vector<std::string> out{"magnitude:50%", "magnitude:90%", "2:4", "channels:25%", "channels:50%"};
  const std::vector<bool> heads = impact::head_groups(pruning::prepare(model));
  if (std::find(heads.begin(), heads.end(), true) != heads.end()) out.emplace_back("heads:50%");
  return out;
}

namespace impact {

std::vector<bool> head_groups(const pruning::Prepared& prepared) {
  const coupling::Couplings& couplings = prepared.couplings;
  const graph::Graph& graph = prepared.model.graph;
  std::vector<bool> out(couplings.groups().size());
  const auto mark = [&](coupling::TrackId track) {
    for (const std::int32_t unit : couplings.track(track))
      if (const coupling::Unit& of = couplings.units()[at(unit)]; !of.locked && of.group >= 0) out[at(of.group)] = true;
  };
  for (const graph::Node& node : graph.nodes) {
    if (!node.is("MatMul")) continue;
    if (couplings.constant(node.input(0)) || couplings.constant(node.input(1))) continue;
    const std::span<const coupling::Axis> axes = couplings.axes(node.output(0));
    for (std::size_t axis = 0; axis + 2 < axes.size(); ++axis)
      for (const coupling::Factor& factor : couplings.factors(axes[axis]))
        if (factor.track != coupling::no_track) mark(factor.track);
  }
  return out;
}

graph::Model applied(const graph::Model& model, const ImpactMethod& method, const ImpactOptions& options) {
  if (method.kind == ImpactKind::channels || method.kind == ImpactKind::heads) return cut(model, method, options);
  sparsity::SparsifyOptions what;
  what.sparsity = method.amount;
  what.pattern = method.pattern;
  what.seed = options.seed;
  if (method.kind == ImpactKind::layers) return layer_by_layer(model, method, options, what);
  if (method.criterion == "snip") what.context = sparsity::Context::global;  // As its authors compare.
  if (method.kind == ImpactKind::scores) {
    GraphModule module{graph::Model(model)};
    module.to(options.device);
    what.scores = sparsity_scores(module, parse_criterion(method.criterion), options.calibration, options.seed);
  } else {
    what.criterion = importance::parse_criterion(method.criterion);
  }
  graph::Model out = model;
  sparsity::Sparsifier(model, what).apply(out);
  return out;
}

}  // namespace impact
}  // namespace coppice
