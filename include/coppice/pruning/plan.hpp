#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// Kept indices along one axis of one parameter.
struct PlanCut {
  std::string parameter;  ///< Name of the initializer (or of the Constant node's output).
  std::int32_t axis = 0;
  std::int64_t length = 0;         ///< Before the cut.
  std::vector<std::int64_t> kept;  ///< Ascending.
};

/// A decision as data: printable, reviewable, replayable on another file of the same model. Format: docs/plan.md.
struct Plan {
  static constexpr int version = 1;
  std::string fingerprint;                     ///< Of names, shapes, dtypes and operators; weights do not count.
  std::map<std::string, std::string> model;    ///< What it was made for, in words: see outline().
  std::map<std::string, std::string> options;  ///< As given, for the reader.
  std::vector<PlanCut> cuts;                   ///< In file order; only axes that lose something.
};

/// A hash of the model's structure, the same on every machine: nodes, operand names, attributes but tensors' bytes,
/// initializer names, dtypes and shapes, opset.
std::string fingerprint(const graph::Model& model);

/// What tells models apart at a glance, by name: `inputs`, `outputs`, `operator sets`, `operators` with their numbers,
/// `parameters`. Where two fingerprints differ, it says more than they do.
std::map<std::string, std::string> outline(const graph::Model& model);

Plan make_plan(const Prepared& prepared, std::span<const std::uint8_t> removed,
               std::map<std::string, std::string> options);
/// Units to remove. Throws Error that says what differs when the plan was made for another model, or when it cuts a
/// locked unit or only part of one.
std::vector<std::uint8_t> removed_units(const Prepared& prepared, const Plan& plan);

std::string to_json(const Plan& plan);
/// Throws Error (position or field, expected, found) on anything that is not a plan of a known version.
Plan parse_plan(std::string_view json);

}  // namespace coppice::pruning
