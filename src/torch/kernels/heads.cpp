#include "torch/kernels/heads.hpp"

#include <limits>

#include "coppice/base/error.hpp"

namespace coppice::executor {

using at::Tensor;

Tensor split_heads(const Tensor& x, std::int64_t heads) {
  if (x.dim() == 4) return x;
  if (x.dim() != 3 || heads < 1 || x.size(2) % heads != 0)
    throw Error("expected (batch, steps, a multiple of " + std::to_string(heads) + " heads)");
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

Tensor merge_heads(const Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

Tensor match(const Tensor& query, const Tensor& key, double scale) {
  const Tensor scaled = query * scale, turned = key.transpose(2, 3);
  if (query.size(1) == key.size(1)) return at::matmul(scaled, turned);
  // Queries that share a key as rows of one matrix.
  const Tensor rows = scaled.reshape({query.size(0), key.size(1), -1, query.size(3)});
  return at::matmul(rows, turned).reshape({query.size(0), query.size(1), query.size(2), key.size(2)});
}

Tensor gather_values(const Tensor& weights, const Tensor& value) {
  if (weights.size(1) == value.size(1)) return at::matmul(weights, value);
  const Tensor rows = weights.reshape({weights.size(0), value.size(1), -1, weights.size(3)});
  return at::matmul(rows, value).reshape({weights.size(0), weights.size(1), weights.size(2), value.size(3)});
}

Tensor soft_capped(const Tensor& scores, double cap) {
  return cap > 0 ? at::tanh(scores / cap) * cap : scores;
}

Tensor causal(std::int64_t queries, std::int64_t keys, std::int64_t offset, const Tensor& like) {
  return at::ones({queries, keys}, like.options().dtype(at::kBool).requires_grad(false)).tril(offset);
}

Tensor hidden_where_not(const Tensor& scores, const Tensor& visible, double value) {
  return at::masked_fill(scores, at::logical_not(visible), value);
}

Tensor behind(const Tensor& past, const Tensor& now) {
  return past.defined() ? at::cat({past, now}, 2) : now;
}

Tensor turn(const Tensor& heads, const Tensor& cosines, const Tensor& sines, const Rotary& how) {
  const std::int64_t all = heads.size(-1), size = how.size > 0 ? how.size : all;
  const Tensor x = heads.slice(-1, 0, size);
  const Tensor a = how.interleaved ? x.slice(-1, 0, size, 2) : x.slice(-1, 0, size / 2);
  const Tensor b = how.interleaved ? x.slice(-1, 1, size, 2) : x.slice(-1, size / 2, size);
  const Tensor c = a * cosines - b * sines, d = a * sines + b * cosines;
  const Tensor turned = how.interleaved ? at::stack({c, d}, -1).flatten(-2) : at::cat({c, d}, -1);
  return size == all ? turned : at::cat({turned, heads.slice(-1, size, all)}, -1);
}

}  // namespace coppice::executor
