#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/pruning/prepare.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::pruning {

/// Follows zeros through the graph: which values are zero at their removed indices when the removed slices of the
/// constants are set to zero.
class ZeroFlow {
 public:
  ZeroFlow(const Prepared& prepared, std::span<const std::uint8_t> removed);

  bool is_cut(const coupling::Axis& axis) const;
  /// Whether the removed slices of a constant may be set to zero (a divisor's may not).
  bool zeroable(graph::ValueId constant) const { return zeroable_[static_cast<std::size_t>(constant)] != 0; }
  /// Whether every removed index of the value holds zero (its zero point, when quantised).
  bool zero(graph::ValueId value) const {
    return value == graph::no_value || zero_[static_cast<std::size_t>(value)] != 0;
  }
  /// Whether a removed index may hold an infinity or no number, because something was divided by a zero that we wrote:
  /// a later factor of zero does not silence it.
  bool wild(graph::ValueId value) const {
    return value != graph::no_value && wild_[static_cast<std::size_t>(value)] != 0;
  }
  /// Whether a declared mixing lets removed indices reach others although they were set to zero.
  bool leaks(const coupling::Mix& mix) const;
  /// Whether it does so for some choice among the units that are removed here.
  bool may_leak(const coupling::Mix& mix) const;

 private:
  bool covers(graph::ValueId value, std::size_t axes_from_right) const;
  bool any_cut(graph::ValueId value) const;
  bool attention_zero(const graph::Node& node, graph::ValueId output) const;
  bool node_zero(const graph::Node& node, graph::ValueId output) const;
  bool node_wild(const graph::Node& node) const;
  bool product_zero(const graph::Node& node, graph::ValueId output, std::size_t a, std::size_t b) const;
  bool positive_exponent(const graph::Node& node) const;
  bool all_cover(const graph::Node& node, graph::ValueId output, std::span<const std::size_t> operands) const;
  bool one_covers(const graph::Node& node, graph::ValueId output, std::span<const std::size_t> operands) const;
  void mark_zeroable();

  const Prepared& p_;
  std::span<const std::uint8_t> removed_;
  std::vector<std::uint8_t> track_cut_, zero_, zeroable_, wild_;
};

/// The prepared model with the removed slices of its constants set to zero, not yet tied again.
graph::Model zeroed(const Prepared& prepared, std::span<const std::uint8_t> removed);

}  // namespace coppice::pruning
