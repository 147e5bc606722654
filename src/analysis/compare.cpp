#include "coppice/analysis/compare.hpp"

#include <string>
#include <unordered_map>

#include "coppice/base/at.hpp"

namespace coppice::analysis {
namespace {

constexpr std::int32_t none = -1;

std::string key(const LayerRow& row) {
  return row.op + '\n' + row.name;
}

/// For every row of `b` its partner in `a` with the same operator and name; a name that appears twice counts once.
std::vector<std::int32_t> same_names(const Layers& a, const Layers& b) {
  std::unordered_map<std::string, std::int32_t> index;
  for (std::size_t i = 0; i < a.rows.size(); ++i) index.emplace(key(a.rows[i]), static_cast<std::int32_t>(i));
  std::vector<std::int32_t> partner(b.rows.size(), none);
  for (std::size_t i = 0; i < b.rows.size(); ++i) {
    const auto found = index.find(key(b.rows[i]));
    if (found == index.end()) continue;
    partner[i] = found->second;
    index.erase(found);
  }
  return partner;
}

/// Pairs what is left over by operator, in order, within the gaps between pairs by name.
void fill_gaps(const Layers& a, const Layers& b, std::vector<std::int32_t>& of_a, std::vector<std::int32_t>& of_b) {
  std::size_t from = 0;  // Where the search in b goes on.
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    if (of_a[i] != none) {
      from = at(of_a[i]) + 1;
      continue;
    }
    for (std::size_t j = from; j < b.rows.size() && of_b[j] == none; ++j) {
      if (a.rows[i].op != b.rows[j].op) continue;
      of_a[i] = static_cast<std::int32_t>(j);
      of_b[j] = static_cast<std::int32_t>(i);
      from = j + 1;
      break;
    }
  }
}

}  // namespace

std::vector<Pair> match(const Layers& a, const Layers& b) {
  std::vector<std::int32_t> of_b = same_names(a, b);
  std::vector<std::int32_t> of_a(a.rows.size(), none);
  for (std::size_t j = 0; j < of_b.size(); ++j) {
    if (of_b[j] != none) of_a[at(of_b[j])] = static_cast<std::int32_t>(j);
  }
  fill_gaps(a, b, of_a, of_b);

  std::vector<Pair> out;
  std::size_t next = 0;  // Rows of b before this one are listed, or paired.
  const auto only_b = [&](std::size_t end) {
    for (; next < end; ++next) {
      if (of_b[next] == none) out.push_back({none, static_cast<std::int32_t>(next)});
    }
  };
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    if (of_a[i] != none && at(of_a[i]) >= next) only_b(at(of_a[i]));
    out.push_back({static_cast<std::int32_t>(i), of_a[i]});
  }
  only_b(b.rows.size());
  return out;
}

bool differs(const Layers& a, const Layers& b, const Pair& pair) {
  if (pair.a == none || pair.b == none) return true;
  const LayerRow &x = a.rows[at(pair.a)], &y = b.rows[at(pair.b)];
  return x.shape != y.shape || x.ranked != y.ranked || x.parameters != y.parameters || x.macs != y.macs;
}

}  // namespace coppice::analysis
