#pragma once
#include <string>

#include "coppice/base/error.hpp"

#include "cli/app.hpp"

namespace coppice::cli {

/// What `parse` makes of the text of an option. What it refuses with "...: expected..., found..." is a wrong use of
/// that option.
template <class Parse>
auto value_of(const char* option, const std::string& text, const Parse& parse) {
  try {
    return parse(text);
  } catch (const Error& error) {
    const std::string said = error.what();
    const std::size_t expected = said.find("expected");
    throw UsageError(std::string(option) + ": " + (expected == std::string::npos ? said : said.substr(expected)));
  }
}

}  // namespace coppice::cli
