#pragma once
#include <cstdint>
#include <string_view>

namespace coppice::coupling {

/// Why a unit must stay.
enum class Reason : std::uint8_t {
  graph_input,       ///< The axis comes with the model's input.
  graph_output,      ///< The axis leaves with the model's output.
  unknown_operator,  ///< An operator without an axis rule touches it.
  unknown_shape,     ///< A shape that is not known statically.
  fixed_axis,        ///< It meets an axis that cannot shrink (space, time, batch, a computed constant).
  normalised_axis,   ///< Softmax and the like run over it.
  ordered_axis,      ///< ArgMax, TopK, CumSum, local response... give positions along it a meaning.
  indexed_by_data,   ///< Indices that are not known statically select along it.
  picked,            ///< A single constant index picks it (the 3 of query, key, value).
  broadcast_slice,   ///< A slice of length one is broadcast over other units.
  split_factor,      ///< Another factor of the same split axis carries the cut.
  mixed_by_reshape,  ///< A reshape mixes it with other axes beyond what index maps can say.
  strided,           ///< A slice with a step, or another selection that the cut cannot rewrite.
  no_activation,     ///< It reaches no activation.
  control_flow,      ///< Data-dependent If, Loop or Scan.
  structure,         ///< The cut could not rewrite the shape arithmetic that depends on it.
  inexact,           ///< Cutting it would be inexact and only exact cuts were asked for.
  ignored,           ///< The user asked to leave it.
  module_code,       ///< The code of the module that was traced counts on it.
  unmeasured,        ///< The criterion measures nothing of its group.
};
inline constexpr int reason_count = static_cast<int>(Reason::unmeasured) + 1;

/// Short name in snake_case, as in JSON ("graph_output").
std::string_view name(Reason reason);
/// One line for people ("leaves with a graph output").
std::string_view explain(Reason reason);

}  // namespace coppice::coupling
