#pragma once
#include <string>
#include <utility>
#include <vector>

#include "coppice/coupling/couplings.hpp"
#include "coppice/graph/control_flow.hpp"
#include "coppice/graph/infer.hpp"
#include "coppice/graph/model.hpp"
#include "coppice/graph/parameters.hpp"
#include "coppice/graph/untie.hpp"

namespace coppice::pruning {

struct PrepareOptions {
  std::vector<std::pair<std::string, graph::Shape>> shapes{};  ///< Extents of graph inputs, by name; guide MACs.
  std::vector<std::string> outputs{};  ///< Graph outputs to keep; empty: all. Nodes that feed only others are dropped.
  coupling::Options coupling{};
  coupling::Demands demands{};
  /// Exporters share constants that are equal by chance: each use gets its own. False: what is shared is tied.
  bool untie = true;
};

/// A model made ready for pruning, with all that is known of it.
struct Prepared {
  graph::Model model;  ///< Functions inlined, sorted, static control flow resolved, shared constants untied.
  std::vector<graph::ResolvedRegion> regions;  ///< Static control flow that was resolved.
  std::vector<graph::UntiedUse> untied;
  graph::Worlds worlds;
  graph::Facts first, second;  ///< Facts in two worlds; equal for a static model.
  graph::Facts counting;       ///< Facts in the world in which MACs are counted.
  std::vector<graph::Role> roles;
  coupling::Couplings couplings;
  std::vector<std::string> problems;  ///< Nodes whose shapes contradict; what they touch is locked.
};

/// Throws Error when an option names an input or output that the model does not have.
Prepared prepare(graph::Model model, const PrepareOptions& options = {});

/// Size and work of a model when the units with removed[unit] != 0 are gone. An empty span: nothing is gone.
struct Count {
  std::int64_t parameters = 0;
  double macs = 0;
};
Count count(const Prepared& prepared, std::span<const std::uint8_t> removed = {});

/// Share (0..1) of the parameters that some removable unit touches.
double reach(const Prepared& prepared);

}  // namespace coppice::pruning
