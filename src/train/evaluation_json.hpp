#pragma once
#include <nlohmann/json.hpp>

#include "coppice/train/evaluate.hpp"

namespace coppice {

nlohmann::ordered_json to_json(const Evaluation& evaluation);
/// A number; null, which is how JSON has what is no number or infinite, is NaN.
double number_of(const nlohmann::ordered_json& json);
/// Throws nlohmann::json::exception on anything but what to_json() makes.
Evaluation evaluation_of(const nlohmann::ordered_json& json);

}  // namespace coppice
