#include "coppice/analysis/text.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <span>

namespace coppice::analysis {
namespace {

std::string scaled(double number, std::span<const std::string_view> units) {
  std::size_t unit = 0;
  // 999.95 would print as "1000.0", so the step up is taken a little early.
  while (std::abs(number) >= 999.95 && unit + 1 < units.size()) {
    number /= 1000;
    ++unit;
  }
  std::array<char, 40> digits{};
  const int decimals = unit == 0 ? 0 : std::abs(number) < 10 ? 2 : 1;
  std::snprintf(digits.data(), digits.size(), "%.*f", decimals, number);
  std::string out = digits.data();
  if (!units[unit].empty()) out.append(" ").append(units[unit]);
  return out;
}

/// Bytes of the code point that begins at `text[at]`; 1 for what is not UTF-8.
std::size_t step(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  std::size_t found = 1;
  while (found < wanted && at + found < text.size() && (static_cast<unsigned char>(text[at + found]) & 0xc0) == 0x80)
    ++found;
  return found;
}

/// Byte offset of the code point number `index`.
std::size_t offset_of(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  while (index-- > 0 && at < text.size()) at += step(text, at);
  return at;
}

}  // namespace

std::string with_separators(std::int64_t number) {
  std::string out = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = out.size(); at > first + 3;) {
    at -= 3;
    out.insert(at, 1, ',');
  }
  return out;
}

std::string short_count(double number) {
  static constexpr std::array<std::string_view, 9> units{"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
  return scaled(number, units);
}

std::string short_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> units{"B", "kB", "MB", "GB", "TB"};
  return scaled(static_cast<double>(bytes), units);
}

std::string percent(double share) {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  if (share < 1 && share >= 0.9995) return ">99.9 %";
  std::array<char, 40> digits{};
  std::snprintf(digits.data(), digits.size(), "%.1f %%", share * 100);
  return digits.data();
}

std::string ratio(double before, double after) {
  if (after == 0) return "-";
  std::array<char, 40> digits{};
  std::snprintf(digits.data(), digits.size(), "%.2fx", before / after);
  return digits.data();
}

std::size_t width(std::string_view text) {
  std::size_t out = 0;
  for (std::size_t at = 0; at < text.size(); at += step(text, at)) ++out;
  return out;
}

std::string printable(std::string_view text, std::string_view keep) {
  std::string out;
  for (std::size_t at = 0, bytes = 0; at < text.size(); at += bytes) {
    bytes = step(text, at);
    const auto first = static_cast<unsigned char>(text[at]);
    // U+0080 to U+009F are control characters, too: terminals take U+009B for an escape sequence's beginning.
    const bool ascii = first >= 0x20 && first < 0x7f;
    const std::size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    const bool wide = bytes == whole && !(first == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0);
    if (ascii || wide || keep.find(text[at]) != std::string_view::npos)
      out += text.substr(at, bytes);
    else
      out += '?';
  }
  return out;
}

std::string shorten(std::string_view text, std::size_t columns) {
  const std::size_t total = width(text);
  if (total <= columns) return std::string(text);
  if (columns == 0) return {};
  // The end of a layer's name tells more than its beginning.
  const std::size_t head = (columns - 1) / 2, tail = columns - 1 - head;
  std::string out(text.substr(0, offset_of(text, head)));
  out += "…";
  return out.append(text.substr(offset_of(text, total - tail)));
}

}  // namespace coppice::analysis
