#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// A sum with a factor that is a literal.
ValueId scaled(Site& site, ValueId value, double factor, std::string_view part) {
  if (factor == 1) return value;
  return site.op("Mul", {value, site.scalar(factor, site.out_dtype(), std::string(part) + "_factor")}, {}, part);
}

// (input, weight, bias): input times the transposed weight.
bool linear(Site& site) {
  if (site.rank(1) != 2) return false;
  if (site.rank(0) == 2) {
    std::vector<ValueId> inputs{site.in(0), site.in(1)};
    if (site.has(2)) inputs.push_back(site.in(2));
    site.out(site.op("Gemm", std::move(inputs), {attr("transB", 1)}));
    return true;
  }
  const ValueId turned = site.op("Transpose", {site.in(1)}, {attr("perm", Ints{1, 0})}, "weight_t");
  ValueId out = site.op("MatMul", {site.in(0), turned});
  if (site.has(2)) out = site.op("Add", {site.in(2), out}, {}, "bias");
  site.out(out);
  return true;
}

// A Gemm of two matrices, which takes the turned ones as they were before.
ValueId gemm(Site& site, std::size_t a, std::size_t b, ValueId c, double alpha, double beta) {
  std::vector<Attribute> attributes;
  ValueId left = site.transposed(a), right = site.transposed(b);
  if (left != graph::no_value) attributes.push_back(attr("transA", 1));
  if (right != graph::no_value) attributes.push_back(attr("transB", 1));
  if (left == graph::no_value) left = site.in(a);
  if (right == graph::no_value) right = site.in(b);
  if (alpha != 1) attributes.push_back(attr("alpha", static_cast<float>(alpha)));
  if (beta != 1) attributes.push_back(attr("beta", static_cast<float>(beta)));
  std::vector<ValueId> inputs{left, right};
  if (c != graph::no_value) inputs.push_back(c);
  return site.op("Gemm", std::move(inputs), std::move(attributes));
}

// (bias, a, b, beta, alpha)
bool addmm(Site& site) {
  if (!at::isFloatingType(site.out_dtype())) return false;
  site.out(gemm(site, 1, 2, site.in(0), site.real(4, 1), site.real(3, 1)));
  return true;
}

bool matmul(Site& site) {
  const bool plain = site.rank(0) == 2 && site.rank(1) == 2 && at::isFloatingType(site.out_dtype());
  site.out(plain && site.transposed(1) != graph::no_value ? gemm(site, 0, 1, graph::no_value, 1, 1)
                                                          : site.op("MatMul", {site.in(0), site.in(1)}));
  return true;
}

// (sum, a, b, beta, alpha)
bool baddbmm(Site& site) {
  const ValueId product =
      scaled(site, site.op("MatMul", {site.in(1), site.in(2)}, {}, "product"), site.real(4, 1), "scaled_product");
  const double beta = site.real(3, 1);
  site.out(beta == 0 ? product : site.op("Add", {scaled(site, site.in(0), beta, "scaled"), product}));
  return true;
}

// (vector, matrix, vector, beta, alpha)
bool addmv(Site& site) {
  return baddbmm(site);
}

bool outer(Site& site) {
  const ValueId column = site.op("Unsqueeze", {site.in(0), site.constant({1}, "axes")}, {}, "column");
  site.out(site.op("Mul", {column, site.in(1)}));
  return true;
}

// (equation, tensors)
bool einsum(Site& site) {
  std::string equation;
  for (const char c : site.text(0))
    if (c != ' ') equation += c;
  // Without an arrow the result has the letters that occur once in alphabetical order, in ONNX as here.
  site.out(site.op("Einsum", site.list(1), {attr("equation", equation)}));
  return true;
}

// (input1, input2, weight, bias): y[..., o] = sum over i, j of x1[..., i] w[o, i, j] x2[..., j]
bool bilinear(Site& site) {
  std::string batch;
  for (std::int64_t k = 0; k + 1 < site.rank(0); ++k) batch += static_cast<char>('a' + k);
  if (batch.size() > 14) return false;
  const std::string equation = batch + "x,zxy," + batch + "y->" + batch + "z";
  const ValueId product = site.op("Einsum", {site.in(0), site.in(2), site.in(1)}, {attr("equation", equation)});
  site.out(site.has(3) ? site.op("Add", {site.in(3), product}, {}, "bias") : product);
  return true;
}

}  // namespace

void add_linear_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"linear", linear});
  rules.push_back({"addmm", addmm});
  rules.push_back({"matmul", matmul});
  rules.push_back({"mm", matmul});
  rules.push_back({"bmm", matmul});
  rules.push_back({"mv", matmul});
  rules.push_back({"dot", matmul});
  rules.push_back({"baddbmm", baddbmm});
  rules.push_back({"addmv", addmv});
  rules.push_back({"outer", outer});
  rules.push_back({"ger", outer});
  rules.push_back({"einsum", einsum});
  rules.push_back({"bilinear", bilinear});
}

}  // namespace coppice::tracing
