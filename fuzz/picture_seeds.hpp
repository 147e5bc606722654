#pragma once
#include <string>
#include <utility>
#include <vector>

namespace coppice::fuzz {

/// Small pictures, by file name; none where pictures are not built.
std::vector<std::pair<std::string, std::string>> picture_seeds();

}  // namespace coppice::fuzz
