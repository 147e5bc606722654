#include "support/proof.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

namespace coppice::test {
namespace {

struct Cut {
  pruning::Prepared prepared;
  std::vector<std::uint8_t> removed;
  graph::Model model;
};

std::vector<std::uint8_t> random_units(const coupling::Couplings& couplings, double ratio, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::vector<std::uint8_t> removed(couplings.units().size());
  for (const coupling::Group& group : couplings.groups()) {
    std::vector<std::int32_t> units = group.units;
    const std::size_t go = units.size() - static_cast<std::size_t>(static_cast<double>(units.size()) * (1 - ratio));
    for (std::size_t i = 0; i < go && i + 1 < units.size() + (group.locked > 0); ++i) {
      std::swap(units[i], units[i + engine() % (units.size() - i)]);
      removed[static_cast<std::size_t>(units[i])] = 1;
    }
  }
  return removed;
}

// Shape arithmetic that cannot follow locks what depends on it; then the choice is made again.
Cut cut_with_retries(const graph::Model& model, const ProofOptions& options) {
  Cut result{pruning::prepare(model, options.prepare), {}, {}};
  for (int attempt = 0;; ++attempt) {
    result.removed = random_units(result.prepared.couplings, options.ratio, options.seed);
    try {
      result.model = pruning::cut(result.prepared, result.removed);
      return result;
    } catch (const pruning::StructureError& error) {
      if (attempt == 50 || error.units.empty()) throw;
      result.prepared.couplings.lock(error.units, coupling::Reason::structure, error.node);
    }
  }
}

std::string disagreement(const Comparison& comparison, double tolerance) {
  if (!comparison.ran) return comparison.error;
  if (comparison.rel_err <= tolerance) return {};
  return "outputs differ by " + std::to_string(comparison.rel_err);
}

}  // namespace

Proof prove(const graph::Model& model, const ProofOptions& options, const Scratch& scratch) {
  Proof proof;
  std::optional<Cut> cut;
  try {
    cut = cut_with_retries(model, options);
  } catch (const Error& error) {
    proof.failure = std::string("error: ") + error.what();
    return proof;
  }
  proof.reach = pruning::reach(cut->prepared);
  if (std::count(cut->removed.begin(), cut->removed.end(), 1) == 0) {
    proof.nothing_to_prune = true;
    return proof;
  }
  proof.parameters_before = pruning::count(cut->prepared).parameters;
  proof.parameters_after = pruning::count(cut->prepared, cut->removed).parameters;
  proof.exact = pruning::inexactness(cut->prepared, cut->removed).empty();
  std::vector<std::string> files{scratch / "twin.onnx", scratch / "pruned.onnx", scratch / "original.onnx"};
  formats::write_onnx(pruning::twin(cut->prepared, cut->removed), files[0]);
  formats::write_onnx(cut->model, files[1]);
  formats::write_onnx(model, files[2]);
  if (proof.exact) {
    files.push_back(scratch / "soft.onnx");
    formats::write_onnx(pruning::soften(cut->prepared, cut->removed), files[3]);
  }
  RefereeOptions feeding = options.feeding;
  for (int attempt = 0; attempt < (options.quantised ? 3 : 1); ++attempt, ++feeding.seed) {
    const std::vector<RunReport> runs = Referee::shared().run(files, feeding);
    const Comparison moved = judge(runs[0], runs[2]);
    // An original that finds another number of boxes is as far off as can be.
    proof.moved = moved.ran ? moved.rel_err : HUGE_VAL;
    proof.failure = disagreement(judge(runs[0], runs[1]), options.tolerance);
    if (!proof.failure.empty()) proof.failure = "twin and pruned: " + proof.failure;
    if (proof.failure.empty() && proof.exact) {
      proof.failure = disagreement(judge(runs[0], runs[3]), options.tolerance);
      if (!proof.failure.empty()) proof.failure = "twin and softened, of a cut said to be exact: " + proof.failure;
    }
    if (!runs[2].ok) proof.failure = "original: " + runs[2].error;
    if (proof.failure.empty()) break;
  }
  return proof;
}

}  // namespace coppice::test
