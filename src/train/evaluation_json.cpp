#include "train/evaluation_json.hpp"

#include <limits>

namespace coppice {

nlohmann::ordered_json to_json(const Evaluation& evaluation) {
  nlohmann::ordered_json out{{"samples", evaluation.samples}};
  if (evaluation.loss) out["loss"] = *evaluation.loss;
  auto& metrics = out["metrics"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : evaluation.metrics) metrics[name] = value;
  return out;
}

double number_of(const nlohmann::ordered_json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

Evaluation evaluation_of(const nlohmann::ordered_json& json) {
  Evaluation out;
  out.samples = json.at("samples").get<std::int64_t>();
  if (json.contains("loss")) out.loss = number_of(json.at("loss"));
  for (const auto& [name, value] : json.at("metrics").items()) out.metrics.emplace_back(name, number_of(value));
  return out;
}

}  // namespace coppice
