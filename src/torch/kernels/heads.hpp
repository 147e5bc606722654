#pragma once
#include "torch/executor/kernel.hpp"

/// What the attention operators share. Heads are (batch, heads, steps, head size).
namespace coppice::executor {

/// (batch, steps, heads * size) as heads.
at::Tensor split_heads(const at::Tensor& x, std::int64_t heads);
at::Tensor merge_heads(const at::Tensor& x);

/// Products of queries and keys, (batch, query heads, query steps, key steps). Query heads may be a multiple of the key
/// heads: consecutive ones share a key.
at::Tensor match(const at::Tensor& query, const at::Tensor& key, double scale);
/// Sums of the values by weights of the form that match() gives.
at::Tensor gather_values(const at::Tensor& weights, const at::Tensor& value);

/// Squeezes scores into (-cap, cap); 0: none.
at::Tensor soft_capped(const at::Tensor& scores, double cap);
/// True where a query may see a key: (query steps, key steps), the queries being the last of the steps if `offset` says
/// so.
at::Tensor causal(std::int64_t queries, std::int64_t keys, std::int64_t offset, const at::Tensor& like);
/// Scores with `value` where `visible` (bool, broadcasts) is false.
at::Tensor hidden_where_not(const at::Tensor& scores, const at::Tensor& visible, double value);

/// `now` behind `past`, which may be undefined.
at::Tensor behind(const at::Tensor& past, const at::Tensor& now);

struct Rotary {
  bool interleaved = false;  ///< Pairs are neighbours; else halves.
  std::int64_t size = 0;     ///< Elements of a head that turn; 0: all.
};
/// Turns pairs of a head's elements. Cosines and sines broadcast to (batch, heads, steps, pairs).
at::Tensor turn(const at::Tensor& heads, const at::Tensor& cosines, const at::Tensor& sines, const Rotary& how);

}  // namespace coppice::executor
