#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/train/run_recipe.hpp"

namespace coppice::recipe {

nlohmann::ordered_json to_json(const StageResult& stage);
/// Throws Error on anything but what to_json() makes.
StageResult parse_stage(const std::string& json);

/// The file is complete or as it was.
void write_text(const std::string& path, const std::string& text);
std::string read_text(const std::string& path);

}  // namespace coppice::recipe
