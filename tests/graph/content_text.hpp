#pragma once
#include <string>

#include "coppice/graph/fact.hpp"

namespace coppice::graph {

/// "1,?,3": the elements that are known of a fact; "none" when it has no content.
inline std::string content_text(const Fact& fact) {
  if (!fact.content) return "none";
  const Content& content = *fact.content;
  std::string out;
  for (std::size_t i = 0; i < std::max(content.ints.size(), content.reals.size()); ++i) {
    if (!out.empty()) out += ',';
    if (!content.known(i))
      out += '?';
    else if (content.reals.empty())
      out += std::to_string(content.ints[i]);
    else
      out += std::to_string(content.reals[i]);
  }
  return out;
}

}  // namespace coppice::graph
