#pragma once
#include <cstddef>
#include <string_view>

#include "coppice/graph/graph.hpp"

// What single operators do to zeros; how zeros travel through a graph is zero_flow's.
namespace coppice::pruning {

/// f(0) = 0, or a rearrangement, or a reduction over other axes that maps zeros to zero.
bool keeps_zero(std::string_view op);

/// Whether a constant that the node reads as this operand may have slices set to zero.
bool harmless_reader(const graph::Node& node, std::size_t operand);

/// The parameters of a normalisation alone decide whether a channel of its result is zero.
bool is_normalisation(const graph::Node& node);

/// For LSTM, GRU and RNN: gates may be open at zero; what goes into the state may not be anything else than zero.
bool states_stay_zero(const graph::Node& node);

/// The activation that a fused operator ends with.
bool fused_activation_keeps_zero(const graph::Node& node);

}  // namespace coppice::pruning
