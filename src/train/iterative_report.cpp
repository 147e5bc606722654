#include <cstdio>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/base/error.hpp"
#include "coppice/train/iterative_pruner.hpp"

#include "train/evaluation_json.hpp"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;
using analysis::Align;

Json written(const std::optional<Evaluation>& evaluation) {
  return evaluation ? to_json(*evaluation) : Json(nullptr);
}

std::optional<Evaluation> read(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(evaluation_of(json));
}

// What the table shows of an evaluation.
std::string name_of(const std::optional<Evaluation>& base) {
  return base && !base->metrics.empty() ? base->metrics.front().first : "loss";
}

std::string formatted(const char* format, double number) {
  char text[32];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string shown(const std::optional<Evaluation>& evaluation, const std::string& name) {
  return evaluation ? formatted("%.4f", evaluation->value(name)) : "-";
}

}  // namespace

std::string IterativeReport::text() const {
  const std::string name = name_of(base);
  analysis::Table table({{"round", Align::right},
                         {"rate", Align::right},
                         {"gone", Align::right},
                         {"parameters", Align::right},
                         {"MACs", Align::right},
                         {name, Align::right, true},
                         {"tuned", Align::right},
                         {"kept"}});
  table.row({"", "", "", analysis::with_separators(parameters_before), analysis::short_count(macs_before),
             shown(base, name)});
  for (const IterativeRecord& record : iterations)
    table.row({std::to_string(record.iteration), analysis::percent(record.rate), analysis::percent(record.sparsity),
               analysis::with_separators(record.parameters), analysis::short_count(record.macs),
               shown(record.after_cut, name), shown(record.after_tuning, name), record.accepted ? "yes" : "no"});
  return table.text();
}

std::string IterativeReport::json() const {
  Json list = Json::array();
  for (const IterativeRecord& record : iterations)
    list.push_back({{"iteration", record.iteration},
                    {"rate", record.rate},
                    {"sparsity", record.sparsity},
                    {"parameters", record.parameters},
                    {"macs", record.macs},
                    {"after_cut", written(record.after_cut)},
                    {"after_tuning", written(record.after_tuning)},
                    {"accepted", record.accepted},
                    {"history", Json::parse(record.history.json())}});
  return Json{{"parameters", {{"before", parameters_before}, {"after", parameters}}},
              {"macs", {{"before", macs_before}, {"after", macs}}},
              {"base", written(base)},
              {"iterations", std::move(list)},
              {"reached", reached}}
             .dump(2) +
         "\n";
}

IterativeReport IterativeReport::parse(const std::string& json) {
  try {
    const Json whole = Json::parse(json);
    IterativeReport out;
    out.parameters_before = whole.at("parameters").at("before").get<std::int64_t>();
    out.parameters = whole.at("parameters").at("after").get<std::int64_t>();
    out.macs_before = whole.at("macs").at("before").get<double>();
    out.macs = whole.at("macs").at("after").get<double>();
    out.base = read(whole.at("base"));
    for (const Json& entry : whole.at("iterations")) {
      IterativeRecord& record = out.iterations.emplace_back();
      record.iteration = entry.at("iteration").get<int>();
      record.rate = entry.at("rate").get<double>();
      record.sparsity = entry.at("sparsity").get<double>();
      record.parameters = entry.at("parameters").get<std::int64_t>();
      record.macs = entry.at("macs").get<double>();
      record.after_cut = read(entry.at("after_cut"));
      record.after_tuning = read(entry.at("after_tuning"));
      record.accepted = entry.at("accepted").get<bool>();
      record.history = History::parse(entry.at("history").dump());
    }
    out.reached = whole.at("reached").get<bool>();
    return out;
  } catch (const Json::exception& error) {
    throw Error(std::string("expected a report of rounds, found something else: ") + error.what());
  }
}

}  // namespace coppice
