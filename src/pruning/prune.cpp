#include "coppice/pruning/prune.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include "coppice/base/error.hpp"

#include "pruning/check.hpp"
#include "pruning/lone_units.hpp"
#include "pruning/refused.hpp"

namespace coppice::pruning {
namespace {

/// Times a phase and tells of it.
class Phase {
 public:
  Phase(std::map<std::string, double>& seconds, base::Progress* progress, std::string_view name,
        std::uint64_t total = 0)
      : seconds_(seconds[std::string(name)]), progress_(progress), start_(std::chrono::steady_clock::now()) {
    if (progress_) progress_->begin(name, total);
  }
  ~Phase() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (progress_) progress_->end();
  }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  double& seconds_;
  base::Progress* progress_;
  std::chrono::steady_clock::time_point start_;
};

std::uint64_t constant_bytes(const graph::Graph& graph) {
  std::uint64_t out = 0;
  for (const graph::Initializer& initializer : graph.initializers) out += initializer.tensor.bytes.size();
  for (const graph::Node& node : graph.nodes) {
    const tensor::Tensor* tensor = node.is("Constant") ? graph.constant(node.output(0)) : nullptr;
    if (tensor) out += tensor->bytes.size();
  }
  return out;
}

bool removes_something(const std::vector<std::uint8_t>& removed) {
  return std::any_of(removed.begin(), removed.end(), [](std::uint8_t gone) { return gone != 0; });
}

void choose(PruneResult& result, const PruneOptions& options, base::Progress* progress) {
  if (options.plan) {
    result.removed = removed_units(result.prepared, *options.plan);
    if (!removes_something(result.removed)) throw Error("plan: expected something to remove, found no cut in it");
    return;
  }
  Selection selection = select(result.prepared, options.select, progress);
  result.removed = std::move(selection.removed);
  std::move(selection.warnings.begin(), selection.warnings.end(), std::back_inserter(result.report.warnings));
  result.report.steps = std::move(selection.step_parameters);
  result.report.ratio = selection.ratio;
  // Scoring is a part of selecting; told apart because it alone reads all weights.
  result.report.seconds["score"] += selection.score_seconds;
  result.report.seconds["select"] -= selection.score_seconds;
  if (!removes_something(result.removed))
    throw Error("nothing to remove: at this ratio no group of units loses even one");
}

/// Selects and cuts until the shape arithmetic goes along.
void decide_and_cut(PruneResult& result, const PruneOptions& options, base::Progress* progress) {
  PruneReport& report = result.report;
  for (int round = 0;; ++round) {
    {
      const Phase phase(report.seconds, progress, "select", static_cast<std::uint64_t>(options.select.steps));
      choose(result, options, progress);
    }
    const Phase phase(report.seconds, progress, "cut");
    try {
      result.model = cut(result.prepared, result.removed);
      return;
    } catch (const StructureError& error) {
      // A plan says exactly what goes: leaving some of it would be another plan.
      if (options.plan || error.units.empty() || round + 1 == most_refusals) throw;
      report.warnings.push_back(lock_refused(result.prepared, error, round));
    }
  }
}

}  // namespace

PruneResult prune(graph::Model model, const PruneOptions& options, base::Progress* progress) {
  PruneResult result;
  PruneReport& report = result.report;
  {
    const Phase phase(report.seconds, progress, "couple");
    result.prepared = prepare(std::move(model), options.prepare);
    if (options.exact_only) lock_inexact(result.prepared);
    report.warnings = result.prepared.problems;
  }
  decide_and_cut(result, options, progress);
  {
    const Phase phase(report.seconds, progress, "check");
    check_cut(result.prepared, result.removed, result.model);
  }

  report.before = count(result.prepared);
  report.after = count(result.prepared, result.removed);
  report.reach = reach(result.prepared);
  const auto groups = result.prepared.couplings.groups();
  report.groups =
      std::count_if(groups.begin(), groups.end(), [](const coupling::Group& group) { return !group.units.empty(); });
  report.inexact = inexactness(result.prepared, result.removed);
  if (std::string warning = lone_units(result.prepared, result.removed); !warning.empty())
    report.warnings.push_back(std::move(warning));
  report.constant_bytes_before = constant_bytes(result.prepared.model.graph);
  report.constant_bytes_after = constant_bytes(result.model.graph);
  result.plan = make_plan(result.prepared, result.removed, options.plan ? options.plan->options : options.given);
  return result;
}

}  // namespace coppice::pruning
