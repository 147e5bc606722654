#include "coppice/sparsity/pattern.hpp"

#include <charconv>
#include <cmath>

#include "coppice/base/error.hpp"

namespace coppice::sparsity {
namespace {

bool read_number(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out > 0;
}

/// Inputs of one group, which no run or tile may cross.
std::int64_t inputs(const Site& site) {
  return site.shape[site.input_axis] / site.input_groups;
}

/// Inputs of an output as a matrix has them.
std::int64_t columns(const Site& site) {
  std::int64_t out = inputs(site);
  // Where O is first, what is behind it lies together, be it I*H*W or H*W*I.
  if (site.output_axis == 0)
    for (const std::size_t axis : site.kernel_axes) out *= site.shape[axis];
  return out;
}

std::optional<std::string> odd_width(const char* what, std::int64_t width, std::int64_t multiple) {
  if (width % multiple == 0) return std::nullopt;
  return std::string(what) + " width " + std::to_string(width) + " is no multiple of " + std::to_string(multiple);
}

}  // namespace

Pattern parse_pattern(std::string_view text) {
  if (text == "none") return {};
  Pattern out;
  const std::size_t mark = text.find_first_of(":x");
  if (mark != std::string_view::npos && read_number(text.substr(0, mark), out.a) &&
      read_number(text.substr(mark + 1), out.b)) {
    out.kind = text[mark] == ':' ? Pattern::Kind::keep_of : Pattern::Kind::tiles;
    if (out.kind == Pattern::Kind::keep_of ? out.a < out.b : out.a != 1 || out.b != 1) return out;
  }
  throw Error("pattern: expected none, N:M with N below M such as 2:4, or tiles such as 4x4, found '" +
              std::string(text) + "'");
}

std::string to_string(const Pattern& pattern) {
  if (pattern.kind == Pattern::Kind::none) return "none";
  return std::to_string(pattern.a) + (pattern.kind == Pattern::Kind::keep_of ? ":" : "x") + std::to_string(pattern.b);
}

std::optional<double> pattern_sparsity(const Pattern& pattern) {
  if (pattern.kind != Pattern::Kind::keep_of) return std::nullopt;
  return 1 - static_cast<double>(pattern.a) / static_cast<double>(pattern.b);
}

bool contradicts(const Pattern& pattern, double sparsity) {
  const std::optional<double> own = pattern_sparsity(pattern);
  return own && std::abs(*own - sparsity) > 1e-9;
}

std::optional<std::string> misfit(const Site& site, const Pattern& pattern) {
  if (pattern.kind == Pattern::Kind::none) return std::nullopt;
  if (pattern.kind == Pattern::Kind::keep_of) return odd_width("input", inputs(site), pattern.b);
  if (auto odd = odd_width("output", site.shape[site.output_axis], pattern.a)) return odd;
  return odd_width("input", columns(site), pattern.b);
}

tensor::Units tiles_of(const Site& site, const Pattern& pattern) {
  tensor::Units out;
  const auto split = [&](std::int64_t extent, std::int64_t by) {
    out.shape.insert(out.shape.end(), {extent / by, by});
    out.together.insert(out.together.end(), {false, true});
  };
  if (site.convolution() && site.output_axis == 0) {
    split(site.shape[0], pattern.a);
    split(columns(site), pattern.b);
    return out;
  }
  for (std::size_t axis = 0; axis < site.shape.size(); ++axis) {
    if (axis == site.output_axis) {
      split(site.shape[axis], pattern.a);
    } else if (axis == site.input_axis) {
      split(site.shape[axis], pattern.b);
    } else {
      out.shape.push_back(site.shape[axis]);
      out.together.push_back(false);
    }
  }
  return out;
}

}  // namespace coppice::sparsity
