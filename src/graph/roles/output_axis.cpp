#include <string>

#include "coppice/graph/parameters.hpp"

namespace coppice::graph {
namespace {

// The last label of the operand that the result has and no other operand.
int einsum_axis(const Node& node, std::size_t operand) {
  std::string equation = node.string_or("equation", "");
  std::erase(equation, ' ');
  const auto arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find('.') != std::string::npos) return -1;
  const std::string left = equation.substr(0, arrow), right = equation.substr(arrow + 2);
  std::vector<std::string> terms(1);
  for (char c : left) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  if (operand >= terms.size()) return -1;
  const std::string& mine = terms[operand];
  for (std::size_t k = mine.size(); k-- > 0;) {
    bool only = right.find(mine[k]) != std::string::npos;
    for (std::size_t t = 0; t < terms.size(); ++t)
      only = only && (t == operand || terms[t].find(mine[k]) == std::string::npos);
    if (only) return static_cast<int>(k);
  }
  return -1;
}

}  // namespace

int output_axis(const Node& node, std::size_t operand, std::size_t rank) {
  const std::string& op = node.op;
  const int last = static_cast<int>(rank) - 1;
  if (op == "Conv" || op == "FusedConv" || op == "ConvInteger" || op == "DeformConv")
    return operand == 1 && rank > 2 ? 0 : -1;
  if (op == "QLinearConv") return operand == 3 && rank > 2 ? 0 : -1;
  if (op == "ConvTranspose") return operand == 1 && rank > 2 ? 1 : -1;
  if (op == "Gemm" || op == "FusedGemm" || op == "QGemm") {
    if (rank != 2) return -1;
    if (operand == 0) return node.int_or("transA", 0) != 0 ? 1 : 0;
    return operand == (op == "QGemm" ? 3u : 1u) ? (node.int_or("transB", 0) != 0 ? 0 : 1) : -1;
  }
  if (op == "MatMul" || op == "MatMulInteger" || op == "MatMulIntegerToFloat" || op == "QLinearMatMul") {
    if (rank < 2) return -1;
    if (operand == 0) return last - 1;
    return operand == (op == "QLinearMatMul" ? 3u : 1u) ? last : -1;
  }
  if (op == "LSTM" || op == "GRU" || op == "RNN") return (operand == 1 || operand == 2) && rank == 3 ? 1 : -1;
  if (op == "Gather") {
    const auto axis = node.int_or("axis", 0);
    const bool looks_up_last = axis == -1 || axis == last;
    return operand == 0 && rank > 1 && !looks_up_last ? last : -1;
  }
  return op == "Einsum" ? einsum_axis(node, operand) : -1;
}

}  // namespace coppice::graph
