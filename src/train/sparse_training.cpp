#include "coppice/train/sparse_training.hpp"

#include <cmath>
#include <utility>

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/train/trainer.hpp"

#include "train/coupled_units.hpp"

namespace coppice {
namespace {

double positive(const char* what, double strength) {
  if (!(strength > 0 && std::isfinite(strength)))
    throw Error(std::string(what) + ": expected a strength above 0, found " + std::to_string(strength));
  return strength;
}

}  // namespace

SparseTraining::SparseTraining(SparseTrainingOptions options) : options_(std::move(options)) {}
SparseTraining::~SparseTraining() = default;

void SparseTraining::before_fit(Trainer& trainer) {
  SparseTrainingOptions options = options_;
  if (options.example_inputs.empty()) options.example_inputs = trainer.example_inputs();
  units_ = std::make_unique<train::CoupledUnits>(trainer.model(), options);
}

void SparseTraining::before_step(Trainer& trainer) {
  units_->check();
  const at::NoGradGuard no_gradients;
  for (std::size_t g = 0; g < units_->groups().size(); ++g)
    if (units_->groups()[g].units > 1) penalise(trainer, g, units_->groups()[g]);
}

void SparseTraining::after_cut(Trainer&, const Pruner& pruner) {
  if (units_) units_->cut(pruner.plan());
}

BatchNormScale::BatchNormScale(double strength, bool group_lasso, SparseTrainingOptions options)
    : SparseTraining(std::move(options)),
      strength_(positive("batch norm scale", strength)),
      group_lasso_(group_lasso) {}

void BatchNormScale::penalise(Trainer&, std::size_t, const train::UnitGroup& group) {
  train::UnitGroup scales{group.units, group.origin, {}};
  for (const train::UnitSlices& member : group.members)
    if (member.batch_norm) scales.members.push_back(member);
  if (scales.members.empty()) return;
  if (group_lasso_) return scales.add_to_gradients(strength_ / (scales.scores() + 1e-9).sqrt());
  for (const train::UnitSlices& member : scales.members) {
    if (!member.tensor.grad().defined()) continue;
    const at::Tensor each = at::full({group.units}, strength_, member.tensor.options().dtype(at::kDouble));
    member.tensor.mutable_grad().add_(member.tensor.sign() * along(member, each));
  }
}

GroupNormRegulariser::GroupNormRegulariser(double strength, SparseTrainingOptions options)
    : SparseTraining(std::move(options)), strength_(positive("group norm", strength)) {}

void GroupNormRegulariser::penalise(Trainer&, std::size_t, const train::UnitGroup& group) {
  const at::Tensor norms = group.scores().sqrt();
  const at::Tensor range = norms.max() - norms.min();
  const at::Tensor exponent = at::where(range > 0, (norms.max() - norms) / range, at::zeros_like(norms));
  group.add_to_gradients(strength_ * at::pow(16, exponent));
}

Growing::Growing(double delta, std::int64_t every, SparseTrainingOptions options)
    : SparseTraining(std::move(options)), delta_(positive("growing", delta)), every_(every) {
  if (every < 0) throw Error("growing: expected steps of 0 or more, found " + std::to_string(every));
}

void Growing::before_fit(Trainer& trainer) {
  SparseTraining::before_fit(trainer);
  strengths_.clear();
  for (std::size_t g = 0; g < units().groups().size(); ++g)
    strengths_.push_back(
        at::full({units().sizes()[g]}, delta_, units().groups()[g].origin.options().dtype(at::kDouble)));
}

void Growing::penalise(Trainer& trainer, std::size_t number, const train::UnitGroup& group) {
  at::Tensor& all = strengths_[number];
  const std::int64_t every = every_ > 0 ? every_ : trainer.steps_per_epoch();
  if (trainer.step() > 0 && trainer.step() % every == 0) {
    const at::Tensor scores = group.scores();
    const at::Tensor most = scores.max();
    all.index_add_(0, group.origin, delta_ * (most - scores) / (most - scores.min() + 1e-8));
  }
  group.add_to_gradients(all.index_select(0, group.origin));
}

void Growing::save(torch::serialize::OutputArchive& archive) const {
  for (std::size_t g = 0; g < strengths_.size(); ++g) archive.write(std::to_string(g), strengths_[g]);
}

void Growing::load(torch::serialize::InputArchive& archive, Trainer&) {
  for (std::size_t g = 0; g < strengths_.size(); ++g) {
    at::Tensor found;
    archive.read(std::to_string(g), found);
    if (found.sizes() != strengths_[g].sizes() || found.scalar_type() != at::kDouble)
      throw Error("growing: expected strengths for " + std::to_string(strengths_[g].size(0)) +
                  " units, found another "
                  "tensor");
    strengths_[g].copy_(found);
  }
}

}  // namespace coppice
