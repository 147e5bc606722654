#include "pruning/zero_operators.hpp"

#include <set>
#include <string>
#include <variant>
#include <vector>

namespace coppice::pruning {
namespace {
using Names = std::set<std::string_view>;
}  // namespace

bool keeps_zero(std::string_view op) {
  static const Names names{"Identity",
                           "Cast",
                           "CastLike",
                           "Dropout",
                           "Relu",
                           "LeakyRelu",
                           "Elu",
                           "Selu",
                           "Celu",
                           "Gelu",
                           "Mish",
                           "HardSwish",
                           "Swish",
                           "Tanh",
                           "Softsign",
                           "Abs",
                           "Neg",
                           "Sign",
                           "Sqrt",
                           "Floor",
                           "Ceil",
                           "Round",
                           "Erf",
                           "Sin",
                           "Tan",
                           "Asin",
                           "Atan",
                           "Sinh",
                           "Asinh",
                           "Atanh",
                           "Shrink",
                           "ThresholdedRelu",
                           "PRelu",
                           "Div",
                           "Pow",
                           "MaxPool",
                           "AveragePool",
                           "LpPool",
                           "GlobalAveragePool",
                           "GlobalMaxPool",
                           "GlobalLpPool",
                           "Resize",
                           "Upsample",
                           "Reshape",
                           "Flatten",
                           "Transpose",
                           "Squeeze",
                           "Unsqueeze",
                           "Expand",
                           "Tile",
                           "Split",
                           "Slice",
                           "Gather",
                           "GatherND",
                           "DepthToSpace",
                           "SpaceToDepth",
                           "ReduceSum",
                           "ReduceMean",
                           "ReduceMax",
                           "ReduceMin",
                           "ReduceL1",
                           "ReduceL2",
                           "ReduceSumSquare",
                           "ReduceProd",
                           "QuantizeLinear",
                           "DequantizeLinear",
                           "DynamicQuantizeLinear",
                           "RoiAlign",
                           "MaxRoiPool",
                           "GridSample",
                           "LpNormalization",
                           "Trilu",
                           "QuickGelu",
                           "CumSum",
                           "ReverseSequence",
                           "RotaryEmbedding"};
  return names.contains(op);
}

bool harmless_reader(const graph::Node& node, std::size_t operand) {
  static const Names any{"Conv",
                         "ConvTranspose",
                         "Gemm",
                         "MatMul",
                         "Einsum",
                         "LSTM",
                         "GRU",
                         "RNN",
                         "Add",
                         "Sub",
                         "Mul",
                         "Sum",
                         "Where",
                         "PRelu",
                         "Concat",
                         "ConvInteger",
                         "MatMulInteger",
                         "FusedConv",
                         "FusedGemm",
                         "Max",
                         "Min",
                         "InstanceNormalization",
                         "LayerNormalization",
                         "RMSNormalization",
                         "GroupNormalization",
                         "SimplifiedLayerNormalization",
                         "SkipLayerNormalization",
                         "BiasGelu",
                         "FastGelu",
                         "SkipSimplifiedLayerNormalization",
                         "Attention",
                         "MultiHeadAttention",
                         "GroupQueryAttention"};
  if (any.contains(node.op)) return true;
  if (node.op == "BatchNormalization") return operand == 1 || operand == 2;
  if (node.op == "QLinearConv") return operand == 3 || operand == 8;
  if (node.op == "QLinearMatMul") return operand == 0 || operand == 3;
  return operand == 0 && keeps_zero(node.op);
}

bool is_normalisation(const graph::Node& node) {
  static const Names names{"BatchNormalization",     "InstanceNormalization",
                           "LayerNormalization",     "RMSNormalization",
                           "GroupNormalization",     "SimplifiedLayerNormalization",
                           "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"};
  return names.contains(node.op);
}

bool states_stay_zero(const graph::Node& node) {
  const graph::Attribute* given = node.find("activations");
  if (!given) return true;
  const auto* names = std::get_if<std::vector<std::string>>(&given->value);
  static const Names odd{"Tanh", "Relu", "LeakyRelu", "ThresholdedRelu", "Elu", "Softsign"};
  const std::size_t each = node.op == "LSTM" ? 3 : node.op == "GRU" ? 2 : 1, gates = each == 1 ? 0 : 1;
  for (std::size_t i = 0; names && i < names->size(); ++i)
    if (i % each >= gates && !odd.contains((*names)[i])) return false;
  return names != nullptr;
}

bool fused_activation_keeps_zero(const graph::Node& node) {
  static const Names names{"", "Relu", "LeakyRelu", "Tanh"};
  return names.contains(node.string_or("activation", ""));
}

}  // namespace coppice::pruning
