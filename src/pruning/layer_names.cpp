#include "pruning/layer_names.hpp"

#include <algorithm>
#include <vector>

namespace coppice::pruning {
namespace {

// The whole of `name`; the last star takes as much as it must.
bool match_all(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool boundary(char c) {
  return c == '.' || c == '/' || c == ':';
}

}  // namespace

std::string module_path(std::string_view node_name) {
  std::vector<std::string_view> parts;
  while (!node_name.empty()) {
    const auto slash = std::min(node_name.find('/'), node_name.size());
    const std::string_view part = node_name.substr(0, slash);
    node_name.remove_prefix(std::min(slash + 1, node_name.size()));
    if (part.empty()) continue;
    if (!parts.empty() && part.size() > parts.back().size() && part.starts_with(parts.back()) &&
        part[parts.back().size()] == '.')
      parts.pop_back();
    parts.push_back(part);
  }
  std::string out;
  for (std::string_view part : parts) {
    if (!out.empty()) out += '.';
    out += part;
  }
  return out;
}

std::optional<std::size_t> match_prefix(std::string_view pattern, std::string_view name) {
  const auto wild = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*') +
                                             std::count(pattern.begin(), pattern.end(), '?'));
  for (std::size_t end = name.size() + 1; end-- > 1;) {
    if (end < name.size() && !boundary(name[end])) continue;
    if (match_all(pattern, name.substr(0, end))) return pattern.size() - wild;
  }
  return std::nullopt;
}

}  // namespace coppice::pruning
