#include <algorithm>
#include <cmath>
#include <cstdio>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/train/run_recipe.hpp"

#include "train/recipe/choices.hpp"
#include "train/recipe/stage_file.hpp"

namespace coppice::recipe {
namespace {

// What the runs of one variant came to in one stage.
struct Group {
  std::string variant, stage;
  std::vector<const StageResult*> results;
};

std::vector<Group> groups_of(const std::vector<RunResult>& runs) {
  std::vector<Group> out;
  for (const RunResult& run : runs)
    for (const StageResult& stage : run.stages) {
      const auto it = std::find_if(out.begin(), out.end(), [&](const Group& group) {
        return group.variant == run.variant && group.stage == stage.stage;
      });
      Group& group = it == out.end() ? out.emplace_back(Group{run.variant, stage.stage, {}}) : *it;
      group.results.push_back(&stage);
    }
  return out;
}

struct Spread {
  double mean = 0, deviation = 0;
};

template <class Value>
Spread spread(const std::vector<const StageResult*>& results, Value value) {
  Spread out;
  const auto count = static_cast<double>(results.size());
  for (const StageResult* result : results) out.mean += value(*result) / count;
  double squares = 0;
  for (const StageResult* result : results) squares += std::pow(value(*result) - out.mean, 2);
  if (results.size() > 1) out.deviation = std::sqrt(squares / (count - 1));
  return out;
}

// Of the first metric.
std::string shown(const std::vector<const StageResult*>& results, bool test) {
  if (test && !results.front()->test) return "";
  const auto evaluation = [test](const StageResult& stage) -> const Evaluation& {
    return test ? *stage.test : stage.held_out;
  };
  const bool share = is_share(evaluation(*results.front()).metrics.front().first);
  const Spread found = spread(
      results, [&](const StageResult& stage) { return (share ? 100 : 1) * evaluation(stage).metrics.front().second; });
  char text[48];
  if (results.size() > 1)
    std::snprintf(text, sizeof text, "%.2f ± %.2f", found.mean, found.deviation);
  else
    std::snprintf(text, sizeof text, "%.2f", found.mean);
  return text + std::string(share ? " %" : "");
}

}  // namespace

std::string Report::text() const {
  const std::vector<Group> groups = groups_of(runs);
  if (groups.empty()) return "";
  const std::string metric = groups.front().results.front()->held_out.metrics.front().first;
  bool sparse = false;
  for (const Group& group : groups)
    for (const StageResult* stage : group.results) sparse = sparse || stage->nonzero < stage->parameters * 9 / 10;
  using analysis::Align;
  analysis::Table table({{"way"},
                         {"stage"},
                         {"seeds", Align::right},
                         {"MACs", Align::right},
                         {sparse ? "nonzero" : "parameters", Align::right},
                         {"held-out " + metric, Align::right},
                         {"test " + metric, Align::right}});
  for (const Group& group : groups) {
    const double macs = spread(group.results, [](const StageResult& stage) { return stage.macs; }).mean;
    const double parameters = spread(group.results, [&](const StageResult& stage) {
                                return static_cast<double>(sparse ? stage.nonzero : stage.parameters);
                              }).mean;
    table.row({group.variant, group.stage, std::to_string(group.results.size()), analysis::short_count(macs),
               analysis::with_separators(std::llround(parameters)), shown(group.results, false),
               shown(group.results, true)});
  }
  return table.text();
}

std::string Report::json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RunResult& run : runs) {
    nlohmann::ordered_json stages = nlohmann::ordered_json::array();
    for (const StageResult& stage : run.stages) stages.push_back(to_json(stage));
    list.push_back({{"variant", run.variant}, {"seed", run.seed}, {"model", run.model}, {"stages", stages}});
  }
  return nlohmann::ordered_json{{"skipped", skipped.size()}, {"runs", list}}.dump(2) + "\n";
}

}  // namespace coppice::recipe
