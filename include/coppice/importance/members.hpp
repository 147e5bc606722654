#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/coupling/couplings.hpp"
#include "coppice/graph/parameters.hpp"
#include "coppice/importance/criterion.hpp"

namespace coppice::importance {

/// A node that computes with a constant, and where the constant's axis lies in the operand it reads: casts,
/// transposes and dequantisation of constants in between are followed.
struct Reader {
  std::int32_t node = -1;  ///< Index into Graph::nodes.
  std::int16_t operand = 0, axis = 0;
  bool output = false;  ///< The operand lists the node's output channels along this axis (graph::output_axis).
  friend bool operator==(const Reader&, const Reader&) = default;
};

/// Readers of constants, found once for a graph.
class Readers {
 public:
  /// Both must outlive this.
  Readers(const graph::Graph& graph, const coupling::Couplings& couplings);

  /// Those of one axis of a constant, in the order of the nodes.
  std::vector<Reader> of(coupling::Site site) const;
  /// Nodes that read a value, once for every operand that does.
  std::span<const std::int32_t> nodes(graph::ValueId value) const {
    return consumers_[static_cast<std::size_t>(value)];
  }
  /// The same for every value.
  const std::vector<std::vector<std::int32_t>>& consumers() const { return consumers_; }

 private:
  const graph::Graph& graph_;
  const coupling::Couplings& couplings_;
  std::vector<std::vector<std::int32_t>> consumers_;
};

/// The sites of a group on which the importance of its units is measured, in file order: weights and scales, input and
/// output slices alike. `bn_scale`: the scales alone, of which there may be none; `fpgm`: the output slices of
/// weights, where it has any. Otherwise a group without weights and scales is measured on whatever it has.
/// Source: the groups of DepGraph (Fang et al., Towards Any Structural Pruning, 2023), whose biases do not count.
std::vector<coupling::Site> members(const coupling::Group& group, std::span<const graph::Role> roles,
                                    const Readers& readers, Criterion criterion);

}  // namespace coppice::importance
