#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/pruning/plan.hpp"
#include "coppice/torch/callable.hpp"
#include "coppice/train/sparse_training.hpp"

namespace coppice::train {

/// One axis of one weight or scale, on which units of a group have their slices.
struct UnitSlices {
  std::string name;
  at::Tensor tensor;  ///< The module's own.
  std::int64_t axis = 0;
  bool batch_norm = false;  ///< The scale of a BatchNormalization.
  at::Tensor unit;          ///< For every index of the axis, the unit it belongs to; the number of units: to none.
};

/// Units that compete with each other.
struct UnitGroup {
  std::int64_t units = 0;           ///< That are left.
  at::Tensor origin;                ///< Which of the units at first they are.
  std::vector<UnitSlices> members;  ///< Those on which importance is measured: importance::members().

  /// Importance by unit, float64: the mean over the members of what they have of sum w^2.
  at::Tensor scores() const;
  /// gradient += factor of the unit x weight, on all members that have a gradient. `factors` by unit, float64.
  void add_to_gradients(const at::Tensor& factors) const;
};

/// By unit and one for none, with zero: along the axis of a member, shaped to multiply its tensor.
at::Tensor along(const UnitSlices& member, const at::Tensor& factors);

/// The units of a model that a Pruner could remove, with the tensors in which they live.
class CoupledUnits {
 public:
  CoupledUnits(const Callable& model, const SparseTrainingOptions& options);

  /// After a cut by this plan, which is for the model as the constructor found it.
  void cut(const pruning::Plan& plan);
  const std::vector<UnitGroup>& groups() const { return groups_; }
  /// At first.
  const std::vector<std::int64_t>& sizes() const { return sizes_; }
  /// Throws Error for a tensor whose width is not what cut() was told.
  void check() const;

 private:
  struct Member {
    std::size_t group;
    UnitSlices slices;
    std::vector<std::int64_t> unit;  ///< In the widths of the beginning; -1: none.
  };
  void fill(const std::vector<std::vector<std::int64_t>>& kept);

  std::vector<Member> members_;
  std::vector<std::int64_t> sizes_;
  std::vector<UnitGroup> groups_;
};

}  // namespace coppice::train
