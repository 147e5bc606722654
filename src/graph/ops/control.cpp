// Control flow. What a branch or a loop body computes is not followed here: a static one can be resolved by replacing
// the node, and a dynamic one has no shape that holds in every run, unless the branches that may run
// declare the same one.
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

const Value* branch_output(const Node& node, std::string_view branch, std::size_t i) {
  const Attribute* attribute = node.find(branch);
  const auto* graph = attribute ? std::get_if<GraphPtr>(&attribute->value) : nullptr;
  if (!graph || !*graph || i >= (*graph)->outputs.size()) return nullptr;
  const ValueId id = (*graph)->outputs[i];
  if (id < 0 || static_cast<std::size_t>(id) >= (*graph)->values.size()) return nullptr;
  return &(*graph)->values[static_cast<std::size_t>(id)];
}

void infer_if(InferContext& c) {
  const auto condition = int_operand(c, 0);
  for (std::size_t i = 0; i < c.output_count(); ++i) {
    const Value* yes = branch_output(c.node(), "then_branch", i);
    const Value* no = branch_output(c.node(), "else_branch", i);
    if (!yes || !no) continue;
    if (condition) yes = no = *condition != 0 ? yes : no;
    Fact out;
    if (yes->dtype == no->dtype) out.dtype = yes->dtype;
    if (yes->shape && no->shape && yes->shape->size() == no->shape->size()) {
      out.ranked = true;
      for (std::size_t d = 0; d < yes->shape->size(); ++d) {
        const std::int64_t a = (*yes->shape)[d].size, b = (*no->shape)[d].size;
        out.shape.push_back(a == b && a >= 0 ? a : unknown);
      }
    }
    c.out(i, std::move(out));
  }
}

}  // namespace

void add_control_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "If", infer_if});
  defs.push_back({"", "Loop"});
  defs.push_back({"", "Scan"});
}

}  // namespace coppice::graph::ops
