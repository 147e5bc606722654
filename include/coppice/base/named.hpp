#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "coppice/base/error.hpp"

namespace coppice::base {

/// The values of an enum with the names by which users write them.
template <class Enum, std::size_t kCount>
using Names = std::array<std::pair<Enum, std::string_view>, kCount>;

/// The name of a value, or "unknown" for a number outside the table.
template <class Enum, std::size_t kCount>
std::string_view find_name(const Names<Enum, kCount>& names, Enum value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  return "unknown";
}

/// The value of a name. Throws Error, which lists all names, when there is none; `what` says what was to be named.
template <class Enum, std::size_t kCount>
Enum parse_name(std::string_view what, const Names<Enum, kCount>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  std::string message = std::string(what) + ": expected";
  for (std::size_t i = 0; i < kCount; ++i) {
    message += i == 0 ? " " : i + 1 == kCount ? " or " : ", ";
    message += names[i].second;
  }
  throw Error(message + ", found '" + std::string(text) + "'");
}

}  // namespace coppice::base
