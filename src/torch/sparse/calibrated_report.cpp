#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/torch/calibrated_sparsity.hpp"

namespace coppice {
namespace {

using analysis::Align;
using Json = nlohmann::ordered_json;

std::string shown(double error) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", error);
  return text;
}

std::string share(std::int64_t zeros, std::int64_t weights) {
  return analysis::percent(static_cast<double>(zeros) / static_cast<double>(std::max<std::int64_t>(weights, 1)));
}

}  // namespace

std::string CalibratedReport::text() const {
  analysis::Table table(
      {{"layer"}, {"weights", Align::right}, {"zeros", Align::right}, {"", Align::right}, {"error", Align::right}});
  std::int64_t weights = 0, zeros = 0;
  for (const CalibratedLayer& layer : layers) {
    table.row({layer.layer, analysis::with_separators(layer.weights), analysis::with_separators(layer.zeros),
               share(layer.zeros, layer.weights), shown(layer.error)});
    weights += layer.weights;
    zeros += layer.zeros;
  }
  table.row({"all", analysis::with_separators(weights), analysis::with_separators(zeros), share(zeros, weights)});
  return table.text();
}

std::string CalibratedReport::json() const {
  Json made = Json::array(), dense = Json::array();
  for (const CalibratedLayer& layer : layers)
    made.push_back({{"name", layer.name},
                    {"layer", layer.layer},
                    {"weights", layer.weights},
                    {"zeros", layer.zeros},
                    {"error", layer.error},
                    {"damping", layer.damping}});
  for (const sparsity::LeftDense& layer : left)
    dense.push_back({{"name", layer.site.name}, {"layer", layer.site.layer}, {"reason", layer.reason}});
  return Json{{"samples", samples}, {"layers", std::move(made)}, {"left_dense", std::move(dense)}}.dump(2) + "\n";
}

}  // namespace coppice
