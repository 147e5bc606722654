#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Numbers and names as people read them. All functions return UTF-8.
namespace coppice::analysis {

/// "11,689,512"; thousands separated by commas in every locale.
std::string with_separators(std::int64_t number);

/// Multiply-accumulates, parameters: "1.81 G", "233.1 k", "512"; four significant digits at most, powers of 1000.
std::string short_count(double number);

/// Bytes: "46.83 MB", "512 B"; powers of 1000.
std::string short_bytes(std::uint64_t bytes);

/// A share of 0..1 as "49.8 %". What is not quite nothing or not quite everything never reads "0.0 %" or "100.0 %":
/// "<0.1 %", ">99.9 %".
std::string percent(double share);

/// "1.99x"; "-" when `after` is 0.
std::string ratio(double before, double after);

/// Columns that a terminal needs for the text: code points, each counted as one column.
std::size_t width(std::string_view text);

/// The text on one line that a terminal may show: control characters and bytes that are not UTF-8 become '?'. What
/// `keep` names stays.
std::string printable(std::string_view text, std::string_view keep = "");

/// The text itself when it fits into `columns`, else its beginning and end around an ellipsis.
std::string shorten(std::string_view text, std::size_t columns);

}  // namespace coppice::analysis
