#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"

#include "torch/inplace/job.hpp"

// Where a Pruner stands: in memory, and as entries of an archive of libtorch.
namespace coppice::inplace {
namespace {

constexpr const char *plan_key = "plan", *step_key = "step", *ratios_key = "ratios", *initial_key = "initial";

}  // namespace

// The tensors of `initial` are exchanged, never written to, so handles do.
Place Job::place() const {
  std::optional<pruning::StepwiseSelection::Position> position;
  if (steps) position = steps->position();
  return {removed, std::move(position), initial, last, replayed};
}

void Job::go_back(const Place& place) {
  if (steps) steps->go_to(*place.position);
  removed = place.removed;
  initial = place.initial;
  last = place.last;
  replayed = place.replayed;
}

void Job::save(torch::serialize::OutputArchive& archive) const {
  if (!steps) throw Error("a Pruner that replays a plan has no place in a schedule to save");
  const auto position = steps->position();
  archive.write(plan_key, c10::IValue(to_json(make_plan(prepared, position.removed, {}))));
  archive.write(step_key, c10::IValue(static_cast<std::int64_t>(position.step)));
  archive.write(ratios_key, at::tensor({position.ratio, position.reached, position.arrived}, at::kDouble));
  torch::serialize::OutputArchive tensors;
  for (std::size_t i = 0; i < initial.size(); ++i) tensors.write(std::to_string(i), initial[i].second);
  archive.write(initial_key, tensors);
}

void Job::load(torch::serialize::InputArchive& archive) {
  if (!steps) throw Error("a Pruner that replays a plan has no place in a schedule to load");
  c10::IValue plan, step;
  at::Tensor ratios;
  archive.read(plan_key, plan);
  archive.read(step_key, step);
  archive.read(ratios_key, ratios);
  if (!plan.isString() || !step.isInt() || ratios.numel() != 3 || ratios.scalar_type() != at::kDouble)
    throw Error("pruner: expected a plan, a step and three ratios, found something else");
  NamedTensors renewed = initial;
  torch::serialize::InputArchive tensors;
  archive.read(initial_key, tensors);
  for (std::size_t i = 0; i < renewed.size(); ++i) {
    at::Tensor tensor;
    tensors.read(std::to_string(i), tensor);
    if (tensor.sizes() != renewed[i].second.sizes())
      throw Error("pruner: \"" + renewed[i].first + "\": expected the weights of the beginning in the same shape");
    renewed[i].second = tensor;
  }
  const pruning::Plan parsed = pruning::parse_plan(plan.toStringRef());
  std::vector<std::uint8_t> goes =
      parsed.cuts.empty() ? std::vector<std::uint8_t>(removed.size(), 0) : removed_units(prepared, parsed);
  const double* const numbers = ratios.data_ptr<double>();
  const auto stood = steps->position();
  steps->go_to({goes, static_cast<int>(step.toInt()), numbers[0], numbers[1], numbers[2]});
  try {
    if (goes != removed) {
      refresh();
      const graph::Model cut = pruning::cut(prepared, goes, pruning::Gathering::later);
      make_cut(goes, cut);
      finish(std::move(goes), {});
    }
  } catch (...) {
    steps->go_to(stood);
    throw;
  }
  initial = std::move(renewed);
}

}  // namespace coppice::inplace
