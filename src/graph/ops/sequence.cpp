#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void infer_length(InferContext& c) {
  c.out(0, Fact::of(DType::int64, {}));
}

void infer_has_element(InferContext& c) {
  c.out(0, Fact::of(DType::boolean, {}));
}

}  // namespace

// Facts describe tensors: sequences and optionals have none, and what comes out of them is not known.
void add_sequence_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "ConcatFromSequence"});
  defs.push_back({"", "Optional"});
  defs.push_back({"", "OptionalGetElement"});
  defs.push_back({"", "OptionalHasElement", infer_has_element});
  defs.push_back({"", "SequenceAt", nullptr, nullptr, 1u << 1});
  defs.push_back({"", "SequenceConstruct"});
  defs.push_back({"", "SequenceEmpty"});
  defs.push_back({"", "SequenceErase", nullptr, nullptr, 1u << 1});
  defs.push_back({"", "SequenceInsert", nullptr, nullptr, 1u << 2});
  defs.push_back({"", "SequenceLength", infer_length});
  defs.push_back({"", "SequenceMap"});
  defs.push_back({"", "SplitToSequence", nullptr, nullptr, 1u << 1});
  for (std::string_view op : {"Adagrad", "Adam", "Gradient", "Momentum"})
    defs.push_back({"ai.onnx.preview.training", op});
}

}  // namespace coppice::graph::ops
