#include "coppice/pruning/prune.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/analysis/layers.hpp"
#include "coppice/analysis/locks.hpp"
#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/formats/onnx.hpp"

#include "cli/app.hpp"
#include "cli/layer_from.hpp"
#include "cli/model_files.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/prune_report.hpp"
#include "cli/replay.hpp"
#include "cli/torch_criteria.hpp"
#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void check_targets(const PruneArguments& arguments) {
  if (!arguments.plan_out.empty()) check_target(arguments.plan_out);
  if (arguments.dry_run) return;
  check_target(arguments.out);
  if (!arguments.twin.empty()) check_target(arguments.twin);
}

struct Named {
  std::string what, path;
};

/// No result may overwrite another, and none but OUT what the run reads.
void check_conflicts(const PruneArguments& arguments) {
  const std::vector<Named> results{
      {"-o", arguments.out}, {"--twin", arguments.twin}, {"--plan-out", arguments.plan_out}};
  const auto refuse = [](const Named& a, const Named& b) {
    if (same_file(a.path, b.path)) throw UsageError(a.what + " and " + b.what + " name the same file");
  };
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (std::size_t k = i + 1; k < results.size(); ++k) refuse(results[i], results[k]);
    refuse(results[i], {"--plan", arguments.plan});
    refuse(results[i], {"--layer-from", arguments.layer_from});
    if (i > 0) refuse(results[i], {"MODEL", arguments.model});
  }
}

/// The same for side files, which only the model tells of. OUT.data may be MODEL's where OUT is MODEL.
void check_side_files(const PruneArguments& arguments, const graph::Model& model) {
  if (arguments.dry_run && arguments.plan_out.empty()) return;
  const bool in_place = same_file(arguments.out, arguments.model);
  spare_side_files("-o", arguments.out, !in_place, arguments.model, model);
  spare_side_files("--twin", arguments.twin, true, arguments.model, model);
  spare_side_files("--plan-out", arguments.plan_out, false, arguments.model, model);
}

/// All results are complete before the first of them is put in place: on failure none changes.
void write(const PruneArguments& arguments, const pruning::PruneResult& result, Bar& bar, PruneOutcome& outcome) {
  std::optional<base::AtomicFile> plan;
  if (!arguments.plan_out.empty()) {
    plan.emplace(arguments.plan_out);
    plan->write(to_json(result.plan));
    plan->finish();
  }
  const pruning::PruneReport& report = result.report;
  if (arguments.dry_run) {
    if (plan) plan->commit();
    outcome.bytes_after = outcome.bytes_before + report.constant_bytes_after - report.constant_bytes_before;
    return;
  }
  std::optional<formats::StagedModel> twin;
  if (!arguments.twin.empty()) {
    twin.emplace(pruning::twin(result.prepared, result.removed), arguments.twin,
                 formats::WriteOptions{.progress = &bar});
  }
  const graph::Model soft = arguments.soft ? pruning::soften(result.prepared, result.removed) : graph::Model{};
  const graph::Model& model = arguments.soft ? soft : result.model;
  formats::StagedModel out(model, arguments.out, {.progress = &bar});
  if (plan) plan->commit();
  if (twin) twin->commit();
  out.commit();
  outcome.bytes_after =
      written_bytes(model, arguments.out, arguments.soft ? report.constant_bytes_before : report.constant_bytes_after);
  // A file full of zeros is no smaller: what it holds is what counts.
  if (arguments.soft) outcome.report.after = outcome.report.before;
}

void prune(PruneArguments& arguments, const CLI::App& command, TorchServices* services) {
  finish(arguments, command);
  if (needs_torch(arguments) && !services) throw HandOver();
  check_targets(arguments);
  check_conflicts(arguments);
  if (arguments.dry_run && !(arguments.out + arguments.twin).empty())
    say("--dry-run: nothing is written to " + arguments.out +
        (arguments.out.empty() || arguments.twin.empty() ? "" : " and ") + arguments.twin);
  base::set_thread_count(arguments.common.threads);
  if (find_torch_criterion(arguments.criterion)) arguments.options.select.measure = services->measure(arguments);
  if (!arguments.plan.empty()) read_replay(arguments);
  Bar bar;
  const Stopwatch reading;
  bar.begin("read", 0);
  graph::Model model = formats::read_onnx(arguments.model);
  bar.end();
  const double read_seconds = reading.seconds();
  check_side_files(arguments, model);
  if (!arguments.layer_from.empty()) take_layer_ratios(arguments, model);
  PruneOutcome outcome;
  outcome.bytes_before = model.source_bytes;

  const pruning::PruneResult result = [&] {
    try {
      return pruning::prune(std::move(model), arguments.options, &bar);
    } catch (const Error& error) {
      throw Error(arguments.model + ": " + error.what());
    }
  }();
  for (const std::string& warning : result.report.warnings) say("warning: " + warning);
  outcome.report = result.report;
  outcome.extents = analysis::counted_extents(result.prepared);
  outcome.locks = analysis::locked_units(result.prepared.couplings);
  if (arguments.verify) outcome.proof = services->prove(arguments, result);

  const Stopwatch writing;
  write(arguments, result, bar, outcome);
  if (arguments.soft && arguments.dry_run) {
    // What writing the zeros would have come to.
    outcome.report.after = outcome.report.before;
    outcome.bytes_after = outcome.bytes_before;
  }
  outcome.report.seconds["read"] = read_seconds;
  outcome.report.seconds["write"] = writing.seconds();
  if (arguments.json) {
    print_json(prune_json(arguments, outcome));
  } else {
    print(prune_text(arguments, outcome));
  }
}

}  // namespace

void add_prune(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<PruneArguments>();
  CLI::App* command = app.add_subcommand("prune", "Cut channels, heads and neurons out of a model");
  add_prune_options(*command, *arguments);
  command->footer(
      "coppice prune model.onnx -o small.onnx --ratio 30%\n"
      "coppice prune model.onnx -o small.onnx --target-macs 50% --context global\n"
      "coppice prune model.onnx -o small.onnx --ratio 30% --layer layer4=60%\n"
      "coppice prune model.onnx -o small.onnx --layer-from s.json --target-macs 50%\n"
      "coppice prune model.onnx -o small.onnx --ratio 50% --round-to 16\n"
      "coppice prune model.onnx --ratio 50% --dry-run --plan-out plan.json\n"
      "coppice prune model.onnx -o small.onnx --plan plan.json --twin twin.onnx");
  command->callback([arguments, command, services] { prune(*arguments, *command, services); });
}

}  // namespace coppice::cli
