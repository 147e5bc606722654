#include <cmath>

#include <nlohmann/json.hpp>

#include "coppice/analysis/sensitivity.hpp"
#include "coppice/base/error.hpp"

namespace coppice::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr int version = 1;
constexpr const char* version_key = "coppice_sensitivity";

void expect(bool holds, const std::string& what) {
  if (!holds) throw Error("sensitivity: expected " + what);
}

double finite(const Json& json, const char* key) {
  const double out = json.at(key).get<double>();
  expect(std::isfinite(out), std::string("a finite number for \"") + key + "\"");
  return out;
}

double ratio_of(const Json& json) {
  const double out = json.get<double>();
  expect(out > 0 && out < 1, "ratios above 0 and below 1, found " + std::to_string(out));
  return out;
}

Json written(const SensitivityRow& row, double baseline) {
  Json out{{"layers", row.layers}, {"units", row.units}};
  Json points = Json::array();
  for (const SensitivityPoint& point : row.points) {
    Json entry{{"ratio", point.ratio}, {"removed", point.removed}};
    entry["value"] = point.value ? Json(*point.value) : Json(nullptr);
    entry["difference"] = point.value ? Json(*point.value - baseline) : Json(nullptr);
    entry["parameters"] = point.parameters;
    entry["macs"] = point.macs;
    points.push_back(std::move(entry));
  }
  out["points"] = std::move(points);
  if (!row.reason.empty()) out["reason"] = row.reason;
  return out;
}

SensitivityRow read_row(const Json& json, std::size_t ratios) {
  SensitivityRow out;
  out.layers = json.at("layers").get<std::vector<std::string>>();
  expect(!out.layers.empty(), "the names of a group's layers, found none");
  out.units = json.at("units").get<std::int64_t>();
  for (const Json& entry : json.at("points")) {
    SensitivityPoint& point = out.points.emplace_back();
    point.ratio = ratio_of(entry.at("ratio"));
    point.removed = entry.at("removed").get<std::int64_t>();
    if (!entry.at("value").is_null()) point.value = finite(entry, "value");
    point.parameters = entry.at("parameters").get<std::int64_t>();
    point.macs = finite(entry, "macs");
  }
  expect(out.points.empty() || out.points.size() == ratios, "a point for every ratio at \"" + out.layers.front() +
                                                                "\", found " + std::to_string(out.points.size()) +
                                                                " of " + std::to_string(ratios));
  if (json.contains("reason")) out.reason = json.at("reason").get<std::string>();
  return out;
}

}  // namespace

std::string Sensitivity::json() const {
  Json groups = Json::array();
  for (const SensitivityRow& row : rows) groups.push_back(written(row, baseline));
  return Json{{version_key, version},       {"metric", metric},   {"higher_is_better", higher_is_better},
              {"baseline", baseline},       {"samples", samples}, {"ratios", ratios},
              {"groups", std::move(groups)}}
             .dump(2) +
         "\n";
}

Sensitivity Sensitivity::parse(std::string_view json) {
  try {
    const Json whole = Json::parse(json);
    expect(whole.is_object() && whole.contains(version_key),
           std::string("an object with \"") + version_key + "\", found none");
    expect(whole.at(version_key) == version, "version 1, found " + whole.at(version_key).dump());
    Sensitivity out;
    out.metric = whole.at("metric").get<std::string>();
    out.higher_is_better = whole.at("higher_is_better").get<bool>();
    out.baseline = finite(whole, "baseline");
    out.samples = whole.at("samples").get<std::int64_t>();
    for (const Json& ratio : whole.at("ratios")) out.ratios.push_back(ratio_of(ratio));
    for (const Json& row : whole.at("groups")) out.rows.push_back(read_row(row, out.ratios.size()));
    return out;
  } catch (const Json::exception& error) {
    throw Error(std::string("sensitivity: ") + error.what());
  }
}

}  // namespace coppice::analysis
