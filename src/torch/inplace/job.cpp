#include "torch/inplace/job.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/random_inputs.hpp"
#include "coppice/torch/tensors.hpp"

#include "pruning/check.hpp"
#include "pruning/refused.hpp"
#include "torch/inplace/example_inputs.hpp"
#include "torch/inplace/literals.hpp"
#include "torch/inplace/options.hpp"
#include "torch/inplace/output_layers.hpp"
#include "torch/messages.hpp"
#include "torch/trace/undisturbed.hpp"

namespace coppice::inplace {
namespace {

using graph::ValueId;

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

}  // namespace

void Job::begin() {
  expect_one_device(model.module());
  const bool own_inputs = options.example_inputs.empty();
  if (own_inputs) options.example_inputs = usual_inputs(model.module());
  target = make_target(model, options.example_inputs);
  graph::Model graph = target->graph();
  coupling::Demands demands = target->demands(graph.graph);
  // What a module shares it shares on purpose.
  prepared =
      pruning::prepare(std::move(graph), {.coupling = options.coupling, .demands = std::move(demands), .untie = false});
  if (own_inputs && options.example_inputs.empty())
    options.example_inputs = random_inputs(prepared.model, prepared.worlds.counting, options.seed);
  if (options.exact_only) lock_inexact(prepared);
  output_layers = inplace::output_layers(prepared);
  before = count(prepared);
  last.parameters = last.parameters_before = before.parameters;
  last.macs = last.macs_before = before.macs;
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

// The module's tensors as they are now, in the widths of the beginning: cut slices are zeros.
void Job::refresh() {
  for (const auto& [name, tensor] : target->tensors()) {
    const ValueId value = prepared.model.graph.find(name);
    if (value == graph::no_value || !prepared.model.graph.constant(value)) continue;
    prepared.model.graph.set_constant(value, to_coppice(expanded(tensor, prepared.couplings.axes(value))));
  }
}

// Chooses what the next step removes, or what takes it to a share of the way; whether that is anything.
bool Job::select(std::optional<double> share) {
  if (share) return steps->advance(*share);
  steps->next();
  return steps->selection().removed != removed;
}

// The units that are gone after the next step, and the graph of what is left; none when nothing is to be removed.
std::vector<std::uint8_t> Job::choose(std::optional<double> share, graph::Model& cut,
                                      std::vector<std::string>& warnings) {
  for (int round = 0;; ++round) {
    if (!options.plan && !select(share)) {
      if (!share) steps->undo();
      return {};
    }
    try {
      std::vector<std::uint8_t> goes =
          options.plan ? removed_units(prepared, *options.plan) : steps->selection().removed;
      if (goes == removed) return {};
      cut = pruning::cut(prepared, goes, pruning::Gathering::later);
      check_cut(prepared, goes, cut);
      return goes;
    } catch (const pruning::StructureError& error) {
      const bool again = steps && !error.units.empty() && round + 1 < pruning::most_refusals;
      if (again) warnings.push_back(pruning::lock_refused(prepared, error, round));
      if (steps) steps->undo();  // looks again at what may go, so the lock comes first
      if (!again) throw;
    } catch (...) {
      if (steps) steps->undo();
      throw;
    }
  }
}

Exchange Job::exchange(std::span<const std::uint8_t> goes) {
  const coupling::Couplings& couplings = prepared.couplings;
  Exchange out;
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
void Job::try_forward(const graph::Model& cut) {
  std::string found;
  try {
    const tracing::Undisturbed undisturbed(model.module(), true);
    const auto outputs = model(options.example_inputs);
    const auto& ids = prepared.model.graph.outputs;
    for (std::size_t i = 0; i < ids.size() && i < outputs.size() && found.empty(); ++i) {
      const graph::Fact& expected = prepared.first[at(ids[i])];
      if (!prepared.worlds.dynamic && expected.complete() && at::IntArrayRef(expected.shape) != outputs[i].sizes())
        found = "output " + std::to_string(i) + ": expected " + tensor::to_string(expected.shape) + ", found " +
                shape_text(outputs[i].sizes());
    }
  } catch (const std::exception& error) {
    found = first_line(error.what());
  }
  if (found.empty()) return;
  const std::string literals = changed_literals(prepared.model.graph, cut.graph);
  throw Error("the module's code does not go along with the cut: " + found +
              (literals.empty() ? "" : "; it must compute these numbers from the widths of its tensors: " + literals) +
              "; or name the layers in ignored_layers");
}

// Cuts the module, all of it or nothing.
void Job::make_cut(std::span<const std::uint8_t> goes, const graph::Model& cut) {
  Exchange swaps = exchange(goes);
  swaps.commit();
  try {
    target->follow(cut);
    try_forward(cut);
  } catch (...) {
    swaps.roll_back();
    target->go_back();
    throw;
  }
}

void Job::finish(std::vector<std::uint8_t> goes, PruneStep result) {
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
  if (steps) {
    const std::vector<std::string>& all = steps->warnings();
    result.warnings.insert(result.warnings.begin(), all.begin() + static_cast<std::ptrdiff_t>(told), all.end());
    told = all.size();
  }
  for (const pruning::Inexact& inexact : inexactness(prepared, removed)) result.inexact.push_back(inexact.text);
  last = std::move(result);
}

bool Job::step(std::optional<double> share) {
  PruneStep result;
  refresh();
  graph::Model cut;
  std::vector<std::uint8_t> goes = choose(share, cut, result.warnings);
  if (goes.empty()) return false;
  const NamedTensors before_cut = options.criterion.options().updating ? snapshot(parameters()) : NamedTensors();
  try {
    make_cut(goes, cut);
  } catch (...) {
    if (steps) steps->undo();
    throw;
  }
  if (options.criterion.options().updating) initial = in_full(before_cut);
  finish(std::move(goes), std::move(result));
  return true;
}

void Job::step() {
  if (options.plan ? replayed : steps->done()) throw Error("all steps are done: nothing is left to prune");
  if (!step(std::nullopt)) throw Error("nothing to remove: at this ratio no group of units loses even one");
}

bool Job::step_to(double share) {
  if (!(share >= 0 && share <= 1)) throw Error("share: expected 0 to 1, found " + std::to_string(share));
  if (options.plan) throw Error("a plan is replayed in one step: expected a ratio to take a share of");
  return steps->due(share) && step(share);
}

}  // namespace coppice::inplace
