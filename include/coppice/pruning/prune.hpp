#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coppice/base/progress.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/plan.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/pruning/select.hpp"

namespace coppice::pruning {

struct PruneOptions {
  PrepareOptions prepare{};
  SelectOptions select{};
  bool exact_only = false;                     ///< Lock what would make the cut inexact.
  std::optional<Plan> plan{};                  ///< Replay this decision; `select` is not looked at.
  std::map<std::string, std::string> given{};  ///< Options as the user wrote them, kept in the plan for its reader.
};

struct PruneReport {
  Count before, after;
  std::int64_t groups = 0;                ///< Coupling groups with at least one removable unit.
  double reach = 0;                       ///< Share (0..1) of the parameters that some removable unit touches.
  double ratio = 0;                       ///< As asked, or as found for a target; 0 when a plan was replayed.
  std::vector<Inexact> inexact;           ///< Empty: the cut is exact.
  std::vector<std::int64_t> steps;        ///< Parameters left after each step; empty for a replayed plan.
  std::map<std::string, double> seconds;  ///< By phase: couple, score, select, cut, check.
  std::vector<std::string> warnings;      ///< One line each.
  /// Constants of the model, in bytes, before and after.
  std::uint64_t constant_bytes_before = 0, constant_bytes_after = 0;
};

struct PruneResult {
  graph::Model model;  ///< The pruned model, ready for writing.
  Plan plan;           ///< The decision; replaying it on the same model gives the same result.
  PruneReport report;
  Prepared prepared;                  ///< What the decision was made on: the argument of soften() and twin().
  std::vector<std::uint8_t> removed;  ///< By unit of `prepared`.
};

/// The whole job: prepare, lock, select (or replay), cut, check. A cut whose shape arithmetic can't be rewritten has
/// the units in question locked, with a warning, and is selected anew. Phases are told to `progress`, when given.
/// Throws Error as its parts do, and when the decision removes nothing: the result is never a silent copy.
PruneResult prune(graph::Model model, const PruneOptions& options, base::Progress* progress = nullptr);

}  // namespace coppice::pruning
