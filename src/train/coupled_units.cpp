#include "train/coupled_units.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/importance/members.hpp"
#include "coppice/torch/pruner.hpp"

#include "torch/inplace/target.hpp"

namespace coppice::train {
namespace {

constexpr std::size_t place(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

// For every index of an axis, the place of its unit in a group, one list for each factor that has such units.
std::vector<std::vector<std::int64_t>> places(const coupling::Couplings& couplings, const coupling::Axis& axis,
                                              const std::unordered_map<std::int32_t, std::int64_t>& place_of) {
  std::vector<std::vector<std::int64_t>> out;
  std::int64_t inner = axis.length;
  for (const coupling::Factor& factor : couplings.factors(axis)) {
    inner /= factor.length;
    if (factor.track == coupling::no_track) continue;
    const auto units = couplings.track(factor.track);
    const bool whole = axis.factors < 0;
    std::vector<std::int64_t> list(static_cast<std::size_t>(axis.length), -1);
    for (std::int64_t i = 0; i < axis.length; ++i) {
      const auto found = place_of.find(units[place(whole ? i : i / inner % factor.length)]);
      if (found != place_of.end()) list[place(i)] = found->second;
    }
    if (std::any_of(list.begin(), list.end(), [](std::int64_t unit) { return unit >= 0; }))
      out.push_back(std::move(list));
  }
  return out;
}

bool is_batch_norm_scale(const graph::Graph& graph, const importance::Readers& readers, const coupling::Site& site) {
  const auto all = readers.of(site);
  return std::any_of(all.begin(), all.end(), [&](const importance::Reader& reader) {
    return reader.operand == 1 && graph.nodes[at(reader.node)].is("BatchNormalization");
  });
}

}  // namespace

at::Tensor along(const UnitSlices& member, const at::Tensor& factors) {
  const at::Tensor with_none = at::cat({factors, at::zeros({1}, factors.options())});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(member.tensor.dim()), 1);
  shape[place(member.axis)] = -1;
  return with_none.index_select(0, member.unit).to(member.tensor.scalar_type()).view(shape);
}

at::Tensor UnitGroup::scores() const {
  const at::NoGradGuard no_gradients;
  at::Tensor out;
  for (const UnitSlices& member : members) {
    const at::Tensor& tensor = member.tensor;
    const at::Tensor sums = tensor.square()
                                .transpose(0, member.axis)
                                .reshape({tensor.size(member.axis), -1})
                                .sum(1, /*keepdim=*/false, at::kDouble);
    if (!out.defined()) out = at::zeros({units + 1}, sums.options());
    out.index_add_(0, member.unit, sums);
  }
  return out.narrow(0, 0, units) / static_cast<double>(members.size());
}

void UnitGroup::add_to_gradients(const at::Tensor& factors) const {
  const at::NoGradGuard no_gradients;
  for (const UnitSlices& member : members)
    if (member.tensor.grad().defined()) member.tensor.mutable_grad().add_(member.tensor * along(member, factors));
}

CoupledUnits::CoupledUnits(const Callable& model, const SparseTrainingOptions& options) {
  const Pruner pruner(model, {.example_inputs = options.example_inputs,
                              .ignored_layers = options.ignored_layers,
                              .coupling = options.coupling});
  const pruning::Prepared& prepared = pruner.prepared();
  const auto tensors = inplace::make_target(model, options.example_inputs)->tensors();
  const importance::Readers readers(prepared.model.graph, prepared.couplings);
  for (const coupling::Group& group : prepared.couplings.groups()) {
    if (group.units.size() < 2) continue;
    std::unordered_map<std::int32_t, std::int64_t> place_of;
    for (const std::int32_t unit : group.units) place_of.emplace(unit, static_cast<std::int64_t>(place_of.size()));
    const std::size_t before = members_.size();
    for (const coupling::Site& site : importance::members(group, prepared.roles, readers, importance::Criterion::l2)) {
      const std::string name(prepared.model.graph.name_of(site.constant));
      const auto found = tensors.find(name);
      if (found == tensors.end() || !found->second.is_floating_point()) continue;
      const bool scale = is_batch_norm_scale(prepared.model.graph, readers, site);
      const coupling::Axis& axis = prepared.couplings.axes(site.constant)[at(site.axis)];
      for (auto& list : places(prepared.couplings, axis, place_of))
        members_.push_back({sizes_.size(), {name, found->second, site.axis, scale, {}}, std::move(list)});
    }
    if (members_.size() > before) sizes_.push_back(static_cast<std::int64_t>(group.units.size()));
  }
  if (sizes_.empty()) throw Error("sparse training: expected units that can be removed, found none");
  cut({});
}

void CoupledUnits::cut(const pruning::Plan& plan) {
  std::map<std::pair<std::string, std::int64_t>, const pruning::PlanCut*> cuts;
  for (const pruning::PlanCut& one : plan.cuts) cuts[{one.parameter, one.axis}] = &one;
  std::vector<std::vector<std::int64_t>> kept;
  for (const Member& member : members_) {
    const auto length = static_cast<std::int64_t>(member.unit.size());
    const auto found = cuts.find({member.slices.name, member.slices.axis});
    if (found == cuts.end()) {
      std::vector<std::int64_t>& all = kept.emplace_back(member.unit.size());
      std::iota(all.begin(), all.end(), 0);
      continue;
    }
    if (found->second->length != length)
      throw Error("sparse training: \"" + member.slices.name + "\" axis " + std::to_string(member.slices.axis) +
                  ": expected a cut of the length " + std::to_string(length) + ", found one of " +
                  std::to_string(found->second->length));
    kept.push_back(found->second->kept);
  }
  fill(kept);
}

void CoupledUnits::fill(const std::vector<std::vector<std::int64_t>>& kept) {
  // A unit has gone when nothing of it is left in some member.
  std::vector<std::vector<std::uint8_t>> gone;
  for (const std::int64_t size : sizes_) gone.emplace_back(place(size), 0);
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const Member& member = members_[m];
    std::vector<std::uint8_t> had(gone[member.group].size(), 0), has(had);
    for (const std::int64_t unit : member.unit)
      if (unit >= 0) had[place(unit)] = 1;
    for (const std::int64_t index : kept[m])
      if (member.unit[place(index)] >= 0) has[place(member.unit[place(index)])] = 1;
    for (std::size_t unit = 0; unit < had.size(); ++unit)
      if (had[unit] > has[unit]) gone[member.group][unit] = 1;
  }
  const auto indices = [&](const std::vector<std::int64_t>& list) {
    return at::tensor(list, at::kLong).to(members_.front().slices.tensor.device());
  };
  groups_.assign(sizes_.size(), {});
  std::vector<std::vector<std::int64_t>> now;  // by group and unit: its place among those that are left
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    std::vector<std::int64_t> left;
    now.emplace_back(gone[g].size(), -1);
    for (std::size_t unit = 0; unit < gone[g].size(); ++unit) {
      if (gone[g][unit]) continue;
      now[g][unit] = static_cast<std::int64_t>(left.size());
      left.push_back(static_cast<std::int64_t>(unit));
    }
    groups_[g].units = static_cast<std::int64_t>(left.size());
    groups_[g].origin = indices(left);
  }
  for (std::size_t m = 0; m < members_.size(); ++m) {
    UnitGroup& group = groups_[members_[m].group];
    std::vector<std::int64_t> unit;
    for (const std::int64_t index : kept[m]) {
      const std::int64_t first = members_[m].unit[place(index)];
      const std::int64_t left = first < 0 ? -1 : now[members_[m].group][place(first)];
      unit.push_back(left < 0 ? group.units : left);
    }
    group.members.push_back(members_[m].slices);
    group.members.back().unit = indices(unit);
  }
}

void CoupledUnits::check() const {
  for (const UnitGroup& group : groups_)
    for (const UnitSlices& member : group.members)
      if (member.tensor.size(member.axis) != member.unit.size(0))
        throw Error("sparse training: \"" + member.name + "\" axis " + std::to_string(member.axis) +
                    ": expected length " + std::to_string(member.unit.size(0)) + ", found " +
                    std::to_string(member.tensor.size(member.axis)) +
                    "; whoever cuts a model must tell it by Trainer::announce_cut()");
}

}  // namespace coppice::train
