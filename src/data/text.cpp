#include "data/text.hpp"

#include <charconv>

#include "coppice/base/error.hpp"

namespace coppice::data {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Numbered split_number(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto number = colon == std::string_view::npos ? std::nullopt : whole_number(text.substr(colon + 1));
  return {std::string(number ? text.substr(0, colon) : text), number};
}

std::int64_t at_least_one(const std::string& text, std::optional<std::int64_t> number) {
  if (number && *number < 1)
    throw Error("data \"" + text + "\": expected a number of 1 or more behind the colon, found " +
                std::to_string(*number));
  return number.value_or(0);
}

}  // namespace coppice::data
