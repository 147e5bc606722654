#include "cli/prune_report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/base/rounded.hpp"
#include "coppice/coupling/reason.hpp"

namespace coppice::cli {
namespace {

using analysis::Align;
using analysis::with_separators;
using Json = nlohmann::ordered_json;

std::string explain(const std::string& reason) {
  for (int i = 0; i < coupling::reason_count; ++i) {
    const auto candidate = static_cast<coupling::Reason>(i);
    if (name(candidate) == reason) return std::string(coupling::explain(candidate));
  }
  return reason;
}

std::string sizes(const PruneArguments& arguments, const PruneOutcome& outcome) {
  const pruning::Count &before = outcome.report.before, &after = outcome.report.after;
  analysis::Table table(
      {{""}, {"before", Align::right}, {"after", Align::right}, {"left", Align::right}, {"smaller", Align::right}});
  const auto row = [&](const std::string& what, const std::string& x, const std::string& y, double from, double to) {
    table.row({what, x, y, from > 0 ? analysis::percent(to / from) : "-", analysis::ratio(from, to)});
  };
  row("parameters", with_separators(before.parameters), with_separators(after.parameters),
      static_cast<double>(before.parameters), static_cast<double>(after.parameters));
  row("MACs", analysis::short_count(before.macs), analysis::short_count(after.macs), before.macs, after.macs);
  row(arguments.dry_run ? "file size, about" : "file size", analysis::short_bytes(outcome.bytes_before),
      analysis::short_bytes(outcome.bytes_after), static_cast<double>(outcome.bytes_before),
      static_cast<double>(outcome.bytes_after));
  return table.text();
}

std::string step_list(const std::vector<std::int64_t>& steps) {
  analysis::Table table({{"step", Align::right}, {"parameters", Align::right}});
  for (std::size_t i = 0; i < steps.size(); ++i) table.row({std::to_string(i + 1), with_separators(steps[i])});
  return '\n' + table.text();
}

std::string locks(const std::map<std::string, std::int64_t>& locked) {
  if (locked.empty()) return {};
  analysis::Table table({{"locked units", Align::right}, {"reason", Align::left, true}});
  for (const auto& [reason, units] : locked) table.row({with_separators(units), explain(reason)});
  return '\n' + table.text();
}

std::string inexactness(const std::vector<pruning::Inexact>& inexact) {
  if (inexact.empty()) return "exact: zeroing the removed slices in the original gives the same outputs\n";
  constexpr std::size_t most = 5, columns = 80;
  std::string out = "inexact at " + std::to_string(inexact.size()) + (inexact.size() == 1 ? " node" : " nodes") +
                    "; the twin (--twin) is the proof:\n";
  std::vector<std::string> lines;
  for (const pruning::Inexact& at : inexact) {
    std::string line = "  " + analysis::shorten(analysis::printable(at.text), columns - 2) + '\n';
    // Long names may differ only in what was cut out of them: the same line twice would tell nothing.
    if (lines.size() < most && std::find(lines.begin(), lines.end(), line) == lines.end())
      lines.push_back(std::move(line));
  }
  for (const std::string& line : lines) out += line;
  if (inexact.size() > lines.size()) out += "  and " + std::to_string(inexact.size() - lines.size()) + " more\n";
  return out;
}

std::string target(const PruneArguments& arguments) {
  if (arguments.dry_run) return arguments.soft ? " (dry run, zeros instead of removal)" : " (dry run)";
  return " -> " + arguments.out + (arguments.soft ? " (zeros instead of removal)" : "");
}

Json change(Json before, Json after) {
  return {{"before", std::move(before)}, {"after", std::move(after)}};
}

}  // namespace

std::string prune_text(const PruneArguments& arguments, const PruneOutcome& outcome) {
  const pruning::PruneReport& report = outcome.report;
  std::string out = arguments.model + target(arguments) + "\n\n" + sizes(arguments, outcome);
  if (!outcome.extents.empty()) out += "MACs are for " + analysis::printable(outcome.extents) + '\n';
  if (report.steps.size() > 1) out += step_list(report.steps);
  out += '\n' + std::to_string(report.groups) + (report.groups == 1 ? " group" : " groups") + ", " +
         analysis::percent(report.reach) + " of the parameters in reach\n" + inexactness(report.inexact);
  if (!outcome.proof.empty()) out += outcome.proof + '\n';
  return out + locks(outcome.locks);
}

nlohmann::ordered_json prune_json(const PruneArguments& arguments, const PruneOutcome& outcome) {
  const pruning::PruneReport& report = outcome.report;
  Json inexact = false;
  if (!report.inexact.empty()) {
    inexact = Json::array();
    for (const pruning::Inexact& at : report.inexact) inexact.push_back(at.text);
  }
  Json out{{"model", arguments.model}};
  out["output"] = arguments.dry_run ? Json(nullptr) : Json(arguments.out);
  out["soft"] = arguments.soft;
  out["ratio"] = report.ratio;
  out["params"] = change(report.before.parameters, report.after.parameters);
  out["macs"] = change(base::rounded(report.before.macs), base::rounded(report.after.macs));
  out["bytes"] = change(outcome.bytes_before, outcome.bytes_after);
  out["groups"] = report.groups;
  out["inexact"] = inexact;
  if (!outcome.proof.empty()) out["proof"] = outcome.proof;
  out["reach"] = report.reach;
  out["locks"] = outcome.locks;
  if (!report.steps.empty()) out["steps"] = report.steps;
  out["warnings"] = report.warnings;
  out["seconds"] = Json::object();
  for (const char* phase : {"read", "couple", "score", "select", "cut", "check", "write"}) {
    const auto found = report.seconds.find(phase);
    out["seconds"][phase] = found == report.seconds.end() ? 0.0 : found->second;
  }
  return out;
}

}  // namespace coppice::cli
