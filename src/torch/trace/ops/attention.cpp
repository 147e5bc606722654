#include <cmath>
#include <limits>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

// Row i sees the columns up to i.
ValueId causal(Site& site, ValueId scores, std::int64_t rows, std::int64_t columns) {
  const at::Tensor hidden = at::ones({rows, columns}, at::TensorOptions(at::kBool)).tril().logical_not();
  return site.op("Where", {site.table(hidden, "hidden"), site.scalar(minus_infinity, site.dtype(0), "never"), scores},
                 {}, "causal");
}

// (query, key, value, mask, dropout, causal, scale): softmax(query key^T scale + mask) value
bool scaled_dot_product_attention(Site& site) {
  if (site.real(4, 0) != 0 || site.rank(0) != site.rank(1) || site.flag(7)) return false;
  const Ints query = site.shape(0), key = site.shape(1);
  const auto rank = static_cast<std::size_t>(site.rank(0));
  Ints order;
  for (std::int64_t k = 0; k < site.rank(0); ++k) order.push_back(k);
  std::swap(order[rank - 1], order[rank - 2]);
  const ValueId turned = site.op("Transpose", {site.in(1)}, {attr("perm", order)}, "key_t");
  ValueId scores = site.op("MatMul", {site.in(0), turned}, {}, "scores");
  const double scale = site.has(6) ? site.real(6) : 1 / std::sqrt(static_cast<double>(query.back()));
  scores = site.op("Mul", {scores, site.scalar(scale, site.dtype(0), "scale")}, {}, "scaled");
  if (site.has(3) && site.dtype(3) == at::kBool) {
    scores = site.op("Where", {site.in(3), scores, site.scalar(minus_infinity, site.dtype(0), "never")}, {}, "masked");
  } else if (site.has(3)) {
    scores = site.op("Add", {scores, site.in(3, site.dtype(0))}, {}, "masked");
  }
  if (site.flag(5)) scores = causal(site, scores, query[rank - 2], key[rank - 2]);
  const ValueId weights = site.op("Softmax", {scores}, {attr("axis", -1)}, "softmax");
  site.out(site.op("MatMul", {weights, site.in(2)}));
  return true;
}

}  // namespace

void add_attention_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"scaled_dot_product_attention", scaled_dot_product_attention});
}

}  // namespace coppice::tracing
