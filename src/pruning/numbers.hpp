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

/// A share of 0..1 in percent, with at most four digits: "0.11 %", "97.25 %".
inline std::string shown_share(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %%", 100 * share);
  return text;
}

}  // namespace coppice::pruning
