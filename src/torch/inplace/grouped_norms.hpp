#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/graph/graph.hpp"

namespace coppice::inplace {

/// A group norm as it is traced: the instance norm of the groups, then scale and shift of the channels.
struct GroupedNorm {
  std::string weight;                  ///< Scale of the channels.
  std::vector<std::string> constants;  ///< Scale and shift of the groups: ones and zeros that only the trace has.
  std::int64_t groups = 0;
};

/// Those in the graph whose scale is a constant.
std::vector<GroupedNorm> grouped_norms(const graph::Graph& graph);

}  // namespace coppice::inplace
