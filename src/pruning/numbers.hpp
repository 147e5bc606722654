#pragma once
#include <cstdio>
#include <string>

namespace coppice::pruning {

/// A number for a message, with at most six digits: "0.3", "1.5".
inline std::string shown(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

}  // namespace coppice::pruning
