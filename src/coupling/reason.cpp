#include "coppice/coupling/reason.hpp"

#include <array>

namespace coppice::coupling {
namespace {

struct Text {
  std::string_view name, explanation;
};

constexpr std::array<Text, reason_count> texts{{
    {"graph_input", "comes with a graph input"},
    {"graph_output", "leaves with a graph output"},
    {"unknown_operator", "touched by an operator without an axis rule"},
    {"unknown_shape", "its shape is not known"},
    {"fixed_axis", "meets an axis that cannot shrink"},
    {"normalised_axis", "normalised over (softmax)"},
    {"ordered_axis", "positions along it have a meaning"},
    {"indexed_by_data", "indexed by data"},
    {"picked", "picked by a constant index"},
    {"broadcast_slice", "a slice of it is broadcast over other units"},
    {"split_factor", "another factor of the split axis carries the cut"},
    {"mixed_by_reshape", "a reshape mixes it with other axes"},
    {"strided", "selected with a step"},
    {"no_activation", "reaches no activation"},
    {"control_flow", "used in data-dependent control flow"},
    {"structure", "the shape arithmetic on it cannot be rewritten"},
    {"inexact", "cutting it would be inexact"},
    {"ignored", "ignored by request"},
    {"module_code", "the module's code counts on this width"},
    {"unmeasured", "the criterion measures nothing of it"},
}};

}  // namespace

std::string_view name(Reason reason) {
  return texts[static_cast<std::size_t>(reason)].name;
}
std::string_view explain(Reason reason) {
  return texts[static_cast<std::size_t>(reason)].explanation;
}

}  // namespace coppice::coupling
