#include "coppice/pruning/ratio.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "coppice/base/error.hpp"

namespace coppice::pruning {

namespace {

double parse(std::string_view text, const std::string& what, bool whole) {
  const auto fail = [&](const char* hint) -> Error {
    return Error(what + ", such as 0.3, 30 or 30%, found '" + std::string(text) + "'" + hint);
  };
  std::string_view digits = text;
  const bool percent = digits.ends_with('%');
  if (percent) digits.remove_suffix(1);
  double value = 0;
  // Only digits may begin it: from_chars would take "inf", "nan" and a minus sign.
  if (digits.empty() || !(digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'))) throw fail("");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) throw fail("");
  if (!percent && value == 1.0) throw fail(" (one percent is 1% or 0.01)");
  const double ratio = percent || value > 1.0 ? value / 100.0 : value;
  if (!(ratio < 1.0 || (whole && ratio == 1.0))) throw fail("");
  return ratio;
}

}  // namespace

double parse_ratio(std::string_view text) {
  return parse(text, "ratio: expected 0 to below 1, or up to below 100 percent", false);
}

double parse_sparsity(std::string_view text) {
  return parse(text, "sparsity: expected 0 to 100 percent", true);
}

std::int64_t keep_count(std::int64_t units, double ratio) {
  if (units < 0 || !(ratio >= 0.0 && ratio <= 1.0)) {
    throw Error("keep count: expected units and a ratio from 0 to 1, found " + std::to_string(units) +
                " units, ratio " + std::to_string(ratio));
  }
  const auto keep = static_cast<std::int64_t>(std::floor(static_cast<double>(units) * (1.0 - ratio) + 1e-9));
  return std::clamp<std::int64_t>(keep, std::min<std::int64_t>(1, units), units);
}

std::int64_t round_to_multiple(std::int64_t keep, std::int64_t units, std::int64_t multiple) {
  if (multiple < 1) throw Error("rounding: expected a multiple of at least 1, found " + std::to_string(multiple));
  if (keep < 0 || keep > units) {
    throw Error("rounding: expected to keep 0 to " + std::to_string(units) + " units, found " + std::to_string(keep));
  }
  if (keep == units || units < multiple) return units;
  const std::int64_t below = keep / multiple * multiple;
  if (below == 0) return multiple;
  const std::int64_t rest = keep - below;
  const bool up = rest != 0 && rest >= multiple - rest && units - below >= multiple;
  return up ? below + multiple : below;
}

}  // namespace coppice::pruning
