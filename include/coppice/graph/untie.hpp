#pragma once
#include <optional>
#include <vector>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// A use of a shared constant that was given a copy of its own.
struct UntiedUse {
  ValueId original = no_value;
  ValueId copy = no_value;
  std::optional<Node>
      identity;  ///< The Identity node that made the alias; empty when nodes read the original directly.
};

/// Exporters share constants that happen to be equal: through Identity, or by reading one vector in several places.
/// That sharing says nothing about the network, so each such use gets an initializer of its own (the bytes stay
/// shared). A constant with more than one axis longer than 1 that several nodes read directly is truly tied and stays
/// tied. Returns what was untied, for retie().
std::vector<UntiedUse> untie(Graph& graph);

/// The reverse before writing: copies that are still equal to each other share one initializer again, through the same
/// Identity nodes or by direct reading as before.
void retie(Graph& graph, const std::vector<UntiedUse>& untied);

}  // namespace coppice::graph
