#include "coppice/torch/verify.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/replay.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"

namespace coppice::cli {
namespace {

std::string number(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.2g", value);
  return out;
}

// "twin and pruned model agree to 3e-07 on 4 random inputs;", and in a second line "the cut moved the outputs by 0.4".
std::string summary(const Verification& found) {
  std::string out = "twin and pruned model agree to " + number(found.error) + " on " + std::to_string(found.samples) +
                    (found.samples == 1 ? " random input" : " random inputs") + ";\nthe cut moved the outputs by " +
                    number(found.moved);
  if (found.refilled) out += ", on refilled weights, as the original's say nothing";
  if (found.structure_only) out += "; only the structure was compared";
  return out;
}

std::string table(const Verification& found) {
  using analysis::Align;
  analysis::Table out(
      {{"output", Align::left, true}, {"shape"}, {"error", Align::right}, {"moved by the cut", Align::right}});
  for (const VerifiedOutput& output : found.outputs)
    out.row({output.name, tensor::to_string(output.shape), number(output.error), number(output.moved)});
  return out.text();
}

std::string exactness(const Verification& found) {
  if (found.exact)
    return "exact: zeroing the removed slices gives the same outputs, to " + number(found.soft_error) + "\n";
  constexpr std::size_t most = 5;
  std::string out = "inexact, as the original's zeros would still count:\n";
  for (std::size_t i = 0; i < found.inexact.size() && i < most; ++i) out += "  " + found.inexact[i] + "\n";
  if (found.inexact.size() > most) out += "  and " + std::to_string(found.inexact.size() - most) + " more\n";
  return out;
}

nlohmann::ordered_json json(const Verification& found) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const VerifiedOutput& output : found.outputs)
    outputs.push_back(
        {{"name", output.name}, {"shape", output.shape}, {"error", output.error}, {"moved", output.moved}});
  return {{"passed", found.passed},     {"why_not", found.why_not}, {"error", found.error},
          {"moved", found.moved},       {"exact", found.exact},     {"inexact", found.inexact},
          {"refilled", found.refilled}, {"samples", found.samples}, {"changed", found.changed},
          {"outputs", outputs}};
}

}  // namespace

void Services::verify(const VerifyArguments& arguments) {
  VerifyOptions options;
  options.samples = arguments.samples;
  options.seed = arguments.seed;
  options.shapes = parse_shapes(arguments.common.shapes);
  options.device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  PruneArguments replay;
  replay.plan = arguments.plan;
  replay.options.prepare.shapes = options.shapes;
  if (!arguments.plan.empty()) read_replay(replay);
  const pruning::Prepared original =
      prepare(arguments.original, formats::read_onnx(arguments.original), replay.options.prepare);
  const graph::Model pruned = formats::read_onnx(arguments.pruned);
  const Verification found = [&] {
    try {
      const auto removed =
          replay.options.plan ? removed_units(original, *replay.options.plan) : find_removed(original, pruned);
      return coppice::verify(original, removed, pruned, options);
    } catch (const Error& error) {
      throw Error(arguments.pruned + ": " + error.what());
    }
  }();
  if (arguments.json)
    print_json(json(found));
  else
    print(table(found) + "\n" + exactness(found) + (found.passed ? "sound: " + summary(found) + "\n" : ""));
  if (!found.passed) throw Error(arguments.pruned + " is no sound cut of " + arguments.original + ": " + found.why_not);
}

std::string Services::prove(const PruneArguments& arguments, const pruning::PruneResult& result) {
  VerifyOptions options;
  options.seed = arguments.options.select.seed;
  options.device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  const Verification found = coppice::verify(result.prepared, result.removed, result.model, options);
  if (!found.passed) throw Error(arguments.model + ": the cut is not sound, nothing was written: " + found.why_not);
  return "verified: " + summary(found);
}

}  // namespace coppice::cli
