#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {

void add_control_ops(std::vector<OpDef>& defs) {
  (void)defs;
}

}  // namespace coppice::graph::ops
