#include "coppice/torch/pruner.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/ratio.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/random_inputs.hpp"
#include "coppice/torch/tensors.hpp"
#include "coppice/torch/trace.hpp"

#include "pruning/check.hpp"
#include "torch/inplace/example_inputs.hpp"
#include "torch/inplace/literals.hpp"
#include "torch/inplace/target.hpp"
#include "torch/inplace/tensor_cuts.hpp"
#include "torch/trace/undisturbed.hpp"

namespace coppice {
namespace {

using graph::ValueId;
using inplace::Kept;

constexpr int most_rounds = 20;

double share(double ratio) {
  return ratio > 1 ? ratio / 100 : ratio;
}

pruning::SelectOptions select_options(const PrunerOptions& options) {
  pruning::SelectOptions out;
  out.ratio = options.pruning_ratio.whole();
  out.context = options.context;
  out.criterion = options.criterion.weights_only().value_or(importance::Criterion::large_final);
  out.reduction = options.reduction;
  out.normalizer = options.normalizer;
  for (const auto& [name, ratio] : options.pruning_ratio.layers()) out.layers.emplace_back(name, ratio);
  for (const auto& [name, ratio] : options.layer_ratios) out.layers.emplace_back(name, share(ratio));
  out.ignore = options.ignored_layers;
  out.round_to = options.round_to;
  out.min_units = options.min_units;
  out.steps = options.iterative_steps;
  out.schedule = options.schedule;
  out.target_macs = options.target_macs;
  out.target_parameters = options.target_parameters;
  out.seed = options.seed;
  return out;
}

void expect_one_device(const torch::nn::Module& module) {
  std::string first;
  std::optional<at::Device> device;
  for (const auto& item : module.named_parameters()) {
    if (!device) {
      device = item.value().device();
      first = item.key();
    } else if (item.value().device() != *device) {
      throw Error("parameters: expected one device, found \"" + first + "\" on " + device->str() + " and \"" +
                  item.key() + "\" on " + item.value().device().str());
    }
  }
}

// The units of an axis, all factors together.
std::vector<std::int32_t> units_of(const coupling::Couplings& couplings, const coupling::Axis& axis) {
  std::vector<std::int32_t> out;
  for (const coupling::Factor& factor : couplings.factors(axis)) {
    if (factor.track == coupling::no_track) continue;
    const auto track = couplings.track(factor.track);
    out.insert(out.end(), track.begin(), track.end());
  }
  return out;
}

// "layer1.0.conv1.weight" is a parameter of layer1.0.conv1.
std::string owner_of(std::string_view parameter) {
  const std::size_t dot = parameter.rfind('.');
  return std::string(dot == std::string_view::npos ? parameter : parameter.substr(0, dot));
}

// Layers all of whose outputs leave with the model's output.
std::vector<std::string> find_output_layers(const pruning::Prepared& prepared) {
  const graph::Graph& graph = prepared.model.graph;
  std::vector<std::string> out;
  for (const graph::Node& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId value = node.inputs[i];
      if (value == graph::no_value || !prepared.couplings.constant(value)) continue;
      const auto axes = prepared.couplings.axes(value);
      const int axis = graph::output_axis(node, i, axes.size());
      if (axis < 0) continue;
      const auto units = units_of(prepared.couplings, axes[static_cast<std::size_t>(axis)]);
      const auto leaves = [&](std::int32_t unit) {
        const coupling::Unit& u = prepared.couplings.units()[at(unit)];
        return u.locked && u.reason == coupling::Reason::graph_output;
      };
      if (units.empty() || !std::all_of(units.begin(), units.end(), leaves)) continue;
      // The operand may be a transposed parameter; its name is that of the constant behind.
      ValueId constant = value;
      while (graph.values[at(constant)].producer >= 0) {
        const graph::Node& producer = graph.nodes[at(graph.values[at(constant)].producer)];
        if (producer.input(0) == graph::no_value) break;
        constant = producer.input(0);
      }
      const std::string name = owner_of(graph.name_of(constant));
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
  }
  return out;
}

}  // namespace

PruningRatio::PruningRatio(double ratio) : whole_(share(ratio)) {}
PruningRatio::PruningRatio(const char* ratio) : whole_(pruning::parse_ratio(ratio)) {}
PruningRatio::PruningRatio(std::map<std::string, double> layers) : layers_(std::move(layers)) {
  for (auto& [name, ratio] : layers_) ratio = share(ratio);
}

struct Pruner::State {
  Callable model;
  PrunerOptions options;
  std::unique_ptr<inplace::Target> target;
  pruning::Prepared prepared;
  std::optional<pruning::StepwiseSelection> steps;
  std::vector<std::uint8_t> removed;  ///< By unit: what has been cut so far.
  std::vector<std::string> output_layers;
  pruning::Count before;
  NamedTensors initial;  ///< In the widths of the beginning.
  PruneStep last;
  bool replayed = false;

  State(Callable callable, PrunerOptions given) : model(std::move(callable)), options(std::move(given)) {}

  void begin();
  void lock_fixed();
  void refresh();
  NamedTensors parameters();
  NamedTensors in_full(const NamedTensors& tensors) const;
  NamedTensors in_current_widths(const NamedTensors& tensors) const;
  importance::Measure measure(std::span<const std::uint8_t> gone);
  at::Tensor expanded(const at::Tensor& tensor, std::span<const coupling::Axis> axes) const;
  std::vector<std::uint8_t> choose(graph::Model& cut, std::vector<std::string>& warnings);
  inplace::Exchange exchange(std::span<const std::uint8_t> goes);
  void try_forward(const graph::Model& cut);
  void step();
};

void Pruner::State::begin() {
  expect_one_device(model.module());
  const bool own_inputs = options.example_inputs.empty();
  if (own_inputs) options.example_inputs = inplace::usual_inputs(model.module());
  target = inplace::make_target(model, options.example_inputs);
  // What a module shares it shares on purpose.
  prepared = pruning::prepare(target->graph(), {.coupling = options.coupling, .untie = false});
  if (own_inputs && options.example_inputs.empty())
    options.example_inputs = random_inputs(prepared.model, prepared.worlds.counting, options.seed);
  lock_fixed();
  if (options.exact_only) lock_inexact(prepared);
  output_layers = find_output_layers(prepared);
  before = count(prepared);
  removed.assign(prepared.couplings.units().size(), 0);
  if (options.plan) return;
  pruning::SelectOptions selecting = select_options(options);
  const CriterionOptions& needs = options.criterion.options();
  if (!options.criterion.weights_only())
    selecting.measure = [this](const pruning::Prepared&, std::span<const std::uint8_t> gone) { return measure(gone); };
  if (needs.needs_data() && !options.calibration.data)
    throw Error("criterion " + options.criterion.name() + ": it looks at data; expected calibration.data, found none");
  if (needs.needs_loss() && !options.calibration.loss)
    throw Error("criterion " + options.criterion.name() +
                ": it looks at gradients; expected calibration.loss, found none");
  if (needs.initial) initial = options.initial.empty() ? snapshot(parameters()) : options.initial;
  steps.emplace(prepared, std::move(selecting));
}

// What is trained, under the names of the graph.
NamedTensors Pruner::State::parameters() {
  NamedTensors out;
  for (const auto& [name, tensor] : target->tensors()) {
    const ValueId value = prepared.model.graph.find(name);
    if (value != graph::no_value && graph::is_parameter(prepared.roles[at(value)])) out.emplace_back(name, tensor);
  }
  return out;
}

NamedTensors Pruner::State::in_full(const NamedTensors& tensors) const {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors)
    out.emplace_back(name, expanded(tensor, prepared.couplings.axes(prepared.model.graph.find(name))).clone());
  return out;
}

NamedTensors Pruner::State::in_current_widths(const NamedTensors& tensors) const {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) {
    const ValueId value = prepared.model.graph.find(name);
    if (value == graph::no_value) continue;
    const auto axes = prepared.couplings.axes(value);
    Kept kept;
    for (std::size_t k = 0; k < axes.size() && static_cast<std::int64_t>(k) < tensor.dim(); ++k)
      if (axes[k].tracked() && prepared.couplings.kept_count(axes[k], removed) != axes[k].length)
        kept.emplace_back(static_cast<std::int64_t>(k), prepared.couplings.kept(axes[k], removed));
    out.emplace_back(name, inplace::keep(tensor, kept));
  }
  return out;
}

// Scores from gradients, activations and earlier weights, for the module as it is.
importance::Measure Pruner::State::measure(std::span<const std::uint8_t> gone) {
  const CriterionOptions& needs = options.criterion.options();
  std::optional<GraphModule> silenced;
  if (needs.input_norm || needs.output_norm) silenced.emplace(twin(prepared, gone));
  Evidence evidence =
      collect(model, parameters(), needs, options.calibration, {silenced ? &*silenced : nullptr, &prepared});
  if (needs.initial) add_initial(evidence, in_current_widths(initial));
  return make_measure(options.criterion, prepared, gone, std::move(evidence));
}

void Pruner::State::lock_fixed() {
  const graph::Graph& graph = prepared.model.graph;
  const auto lock = [&](ValueId value, std::size_t axis) {
    const auto units = units_of(prepared.couplings, prepared.couplings.axes(value)[axis]);
    prepared.couplings.lock(units, coupling::Reason::module_code, -1);
  };
  for (const inplace::FixedAxis& fixed : target->fixed()) {
    const ValueId value = graph.find(fixed.parameter);
    if (value == graph::no_value) continue;
    if (static_cast<std::size_t>(fixed.axis) < prepared.couplings.axes(value).size())
      lock(value, static_cast<std::size_t>(fixed.axis));
  }
  // Tensors that the code holds without having registered them cannot be exchanged.
  const auto tensors = target->tensors();
  const bool graph_module = target->owns_everything();
  for (const ValueId constant : prepared.couplings.constants()) {
    if (graph_module || tensors.contains(std::string(graph.name_of(constant)))) continue;
    for (std::size_t k = 0; k < prepared.couplings.axes(constant).size(); ++k) lock(constant, k);
  }
}

// The module's tensors as they are now, in the widths of the beginning: cut slices are zeros.
void Pruner::State::refresh() {
  for (const auto& [name, tensor] : target->tensors()) {
    const ValueId value = prepared.model.graph.find(name);
    if (value == graph::no_value || !prepared.model.graph.constant(value)) continue;
    prepared.model.graph.set_constant(value, to_coppice(expanded(tensor, prepared.couplings.axes(value))));
  }
}

at::Tensor Pruner::State::expanded(const at::Tensor& tensor, std::span<const coupling::Axis> axes) const {
  at::Tensor out = tensor.detach();
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const auto axis = static_cast<std::int64_t>(k);
    if (out.size(axis) == axes[k].length) continue;
    std::vector<std::int64_t> extents = out.sizes().vec();
    extents[k] = axes[k].length;
    const at::Tensor kept = at::tensor(prepared.couplings.kept(axes[k], removed), at::kLong).to(out.device());
    out = at::zeros(extents, out.options()).index_copy(axis, kept, out);
  }
  return out;
}

// The units that are gone after the next step, and the graph of what is left.
std::vector<std::uint8_t> Pruner::State::choose(graph::Model& cut, std::vector<std::string>& warnings) {
  for (int round = 0;; ++round) {
    std::vector<std::uint8_t> goes;
    if (options.plan) {
      goes = removed_units(prepared, *options.plan);
    } else {
      steps->next();
      goes = steps->selection().removed;
    }
    try {
      if (goes == removed) throw Error("nothing to remove: at this ratio no group of units loses even one");
      cut = pruning::cut(prepared, goes, pruning::Gathering::later);
      check_cut(prepared, goes, cut);
      return goes;
    } catch (const pruning::StructureError& error) {
      if (steps) steps->undo();
      if (options.plan || error.units.empty() || round + 1 == most_rounds) throw;
      prepared.couplings.lock(error.units, coupling::Reason::structure, error.node);
      steps->undo();
      warnings.push_back(std::to_string(error.units.size()) + " units stay: " + error.what());
    } catch (...) {
      if (steps) steps->undo();
      throw;
    }
  }
}

inplace::Exchange Pruner::State::exchange(std::span<const std::uint8_t> goes) {
  const coupling::Couplings& couplings = prepared.couplings;
  inplace::Exchange out;
  for (const auto& [name, tensor] : target->tensors()) {
    const ValueId value = prepared.model.graph.find(name);
    if (value == graph::no_value || !couplings.constant(value)) continue;
    const auto axes = couplings.axes(value);
    Kept kept;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (!axes[k].tracked()) continue;
      const auto now = couplings.kept(axes[k], removed), then = couplings.kept(axes[k], goes);
      if (now == then) continue;
      std::vector<std::int64_t> positions;
      for (std::size_t i = 0, j = 0; i < now.size() && j < then.size(); ++i) {
        if (now[i] != then[j]) continue;
        positions.push_back(static_cast<std::int64_t>(i));
        ++j;
      }
      kept.emplace_back(static_cast<std::int64_t>(k), std::move(positions));
    }
    if (!kept.empty()) out.cut(tensor, kept, options.optimizer);
  }
  return out;
}

// The module's own code must go along with the new widths.
void Pruner::State::try_forward(const graph::Model& cut) {
  std::string found;
  try {
    const tracing::Undisturbed undisturbed(model.module(), true);
    const auto outputs = model(options.example_inputs);
    const auto& ids = prepared.model.graph.outputs;
    for (std::size_t i = 0; i < ids.size() && i < outputs.size() && found.empty(); ++i) {
      const graph::Fact& expected = prepared.first[at(ids[i])];
      if (!prepared.worlds.dynamic && expected.complete() && at::IntArrayRef(expected.shape) != outputs[i].sizes())
        found = "output " + std::to_string(i) + ": expected " + tensor::to_string(expected.shape) + ", found " +
                tensor::to_string(std::span(outputs[i].sizes().data(), outputs[i].sizes().size()));
    }
  } catch (const std::exception& error) {
    const std::string text = error.what();
    found = text.substr(0, text.find('\n'));
  }
  if (found.empty()) return;
  const std::string literals = inplace::changed_literals(prepared.model.graph, cut.graph);
  throw Error("the module's code does not go along with the cut: " + found +
              (literals.empty() ? "" : "; it must compute these numbers from the widths of its tensors: " + literals) +
              "; or name the layers in ignored_layers");
}

void Pruner::State::step() {
  if (options.plan ? replayed : steps->done()) throw Error("all steps are done: nothing is left to prune");
  PruneStep result;
  refresh();
  graph::Model cut;
  std::vector<std::uint8_t> goes = choose(cut, result.warnings);
  const NamedTensors before_cut = options.criterion.options().updating ? snapshot(parameters()) : NamedTensors();
  inplace::Exchange swaps;
  bool committed = false;
  try {
    swaps = exchange(goes);
    swaps.commit();
    committed = true;
    target->follow(cut);
    try_forward(cut);
  } catch (...) {
    if (committed) {
      swaps.roll_back();
      target->go_back();
    }
    if (steps) steps->undo();
    throw;
  }
  if (options.criterion.options().updating) initial = in_full(before_cut);
  removed = std::move(goes);
  replayed = true;
  const pruning::Count now = count(prepared, removed);
  result.step = steps ? steps->step() : 1;
  result.steps = steps ? options.iterative_steps : 1;
  result.parameters_before = before.parameters;
  result.parameters = now.parameters;
  result.macs_before = before.macs;
  result.macs = now.macs;
  result.ratio = steps ? steps->selection().ratio : 0;
  for (const pruning::Inexact& inexact : inexactness(prepared, removed)) result.inexact.push_back(inexact.text);
  last = std::move(result);
}

Pruner::Pruner(Callable model, PrunerOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options))) {
  state_->begin();
}
Pruner::~Pruner() = default;
Pruner::Pruner(Pruner&&) noexcept = default;
Pruner& Pruner::operator=(Pruner&&) noexcept = default;

const PruneStep& Pruner::prune_model() {
  state_->step();
  return state_->last;
}

bool Pruner::done() const {
  return state_->options.plan ? state_->replayed : state_->steps->done();
}

const std::vector<std::string>& Pruner::output_layers() const {
  return state_->output_layers;
}

Plan Pruner::plan() const {
  return make_plan(state_->prepared, state_->removed, {});
}

const pruning::Prepared& Pruner::prepared() const {
  return state_->prepared;
}

std::string describe_ignored(const Pruner& pruner) {
  std::string out;
  for (const std::string& name : pruner.output_layers()) out += "Ignoring output layer: " + name + "\n";
  return out + "Total ignored layers: " + std::to_string(pruner.output_layers().size()) + "\n";
}

}  // namespace coppice
