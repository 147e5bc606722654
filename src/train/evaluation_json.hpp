#pragma once
#include <nlohmann/json.hpp>

#include "coppice/train/evaluate.hpp"

namespace coppice {

nlohmann::ordered_json to_json(const Evaluation& evaluation);
/// Throws nlohmann::json::exception on anything but what to_json() makes.
Evaluation evaluation_of(const nlohmann::ordered_json& json);

}  // namespace coppice
