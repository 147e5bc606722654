#include "graph/roles/operand_roles.hpp"

#include <string_view>
#include <unordered_map>

#include "coppice/graph/infer.hpp"

namespace coppice::graph {
namespace {

// One letter an operand; the last one holds for all that follow.
const std::unordered_map<std::string_view, std::string_view>& table() {
  static const std::unordered_map<std::string_view, std::string_view> map{
      // products
      {"Conv", ".wb"},
      {"FusedConv", ".wb."},
      {"ConvTranspose", ".wb"},
      {"DeformConv", ".w.b."},
      {"Gemm", "wwb"},
      {"FusedGemm", "wwb"},
      {"MatMul", "w"},
      {"FusedMatMul", "w"},
      {"TransposeMatMul", "w"},
      {"Einsum", "w"},
      {"LSTM", ".wwb.qqs"},
      {"GRU", ".wwb.q"},
      {"RNN", ".wwb.q"},
      {"Attention", ".wb."},
      {"MultiHeadAttention", "...b."},
      // lookups
      {"Gather", "w."},
      {"GatherElements", "w."},
      {"GatherND", "w."},
      {"EmbedLayerNormalization", "..wwwsb."},
      // quantised
      {"ConvInteger", ".wq"},
      {"MatMulInteger", "wwq"},
      {"MatMulIntegerToFloat", "wwqqqqb"},
      {"DynamicQuantizeMatMul", "wwqqb"},
      {"QLinearConv", "wqqwqqqqb"},
      {"QLinearMatMul", "wqqwqq"},
      {"QGemm", "wqqwqqbq"},
      {"QLinearAdd", "bqqbqq"},
      {"QLinearMul", "sqqsqq"},
      {"MatMulNBits", ".wqqqb"},
      {"DynamicQuantizeLSTM", ".wwb.qqsq"},
      {"QuantizeLinear", "pq"},
      {"DequantizeLinear", "pq"},
      {"DynamicQuantizeLinear", "p"},
      // norms
      {"BatchNormalization", ".sbq"},
      {"InstanceNormalization", ".sb"},
      {"GroupNormalization", ".sb"},
      {"LayerNormalization", ".sb"},
      {"RMSNormalization", ".s"},
      {"SimplifiedLayerNormalization", ".s"},
      {"SkipLayerNormalization", "..sb"},
      {"SkipSimplifiedLayerNormalization", "..sb"},
      // elementwise
      {"PRelu", ".s"},
      {"Mul", "s"},
      {"Div", "s"},
      {"Add", "b"},
      {"Sub", "b"},
      {"Sum", "b"},
      {"Mean", "b"},
      {"Where", ".b"},
      {"BiasGelu", ".b"},
      {"FastGelu", ".b"},
      {"Concat", "b"},  // learned tokens beside the input's
  };
  return map;
}

// Results that are the same numbers elsewhere, or a function of each number.
bool passes(std::string_view op) {
  static const std::unordered_map<std::string_view, int> set{
      {"Identity", 0},  {"Cast", 0},     {"CastLike", 0}, {"Dropout", 0},      {"Transpose", 0},    {"Reshape", 0},
      {"Flatten", 0},   {"Squeeze", 0},  {"Expand", 0},   {"Unsqueeze", 0},    {"Tile", 0},         {"Pad", 0},
      {"Slice", 0},     {"Split", 0},    {"Resize", 0},   {"DepthToSpace", 0}, {"SpaceToDepth", 0}, {"Upsample", 0},
      {"Neg", 0},       {"Abs", 0},      {"Sqrt", 0},     {"Exp", 0},          {"Log", 0},          {"Reciprocal", 0},
      {"Tanh", 0},      {"Sigmoid", 0},  {"Softplus", 0}, {"Relu", 0},         {"Softmax", 0},      {"ReduceMean", 0},
      {"ReduceSum", 0}, {"ReduceL2", 0},
  };
  return set.contains(op);
}

}  // namespace

OperandRole operand_role(const Node& node, std::size_t i, std::size_t rank) {
  const OpDef* def = find_op(node.domain, node.op);
  if (!def) return rank >= 2 ? OperandRole::weight : OperandRole::bias;
  if (i < 32 && (def->structural >> i & 1u) != 0) return OperandRole::none;
  if (passes(node.op)) return i == 0 ? OperandRole::passed : OperandRole::none;
  if (node.op == "Attention" && node.domain.empty()) return OperandRole::none;  // its operands are activations
  const auto it = table().find(node.op);
  if (it == table().end()) return OperandRole::buffer;
  return static_cast<OperandRole>(it->second[std::min(i, it->second.size() - 1)]);
}

bool reads_quantised(const Node& node) {
  const std::string_view op = node.op;
  return op.starts_with("QLinear") || op.starts_with("MatMulInteger") || op.starts_with("DynamicQuantize") ||
         op == "ConvInteger" || op == "DequantizeLinear" || op == "QGemm" || op == "MatMulNBits";
}

}  // namespace coppice::graph
