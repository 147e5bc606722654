#include <cmath>
#include <limits>
#include <optional>

#include "coppice/base/error.hpp"

#include "torch/kernels/heads.hpp"
#include "torch/kernels/kernels.hpp"

/// Attention of ONNX Runtime's domain: projected, and with heads apart.
namespace coppice::executor {
namespace {

using at::Tensor;

struct Runtime {
  std::int64_t heads = 0;
  std::optional<double> scale;
  double hidden = -10000;  ///< What masked keys get.
  bool causal = false;
};

Runtime read(const Build& build) {
  Runtime out;
  out.heads = build.integer("num_heads", 0);
  if (build.node().has("scale") && build.real("scale", 0) != 0) out.scale = build.real("scale", 0);
  out.hidden = build.real("mask_filter_value", -10000);
  out.causal = build.flag("unidirectional");
  return out;
}

// True where a key counts, as (batch, 1, 1 or queries, keys). The mask gives the keys of each sample, their end (and
// behind all the ends, their start), or a truth for each key or each pair.
Tensor visible_keys(const Tensor& mask, std::int64_t batch, std::int64_t keys) {
  if (mask.dim() == 2) return (mask > 0).reshape({mask.size(0), 1, 1, mask.size(1)});
  if (mask.dim() == 3) return (mask > 0).unsqueeze(1);
  const Tensor steps = at::arange(keys, mask.options().dtype(at::kLong));
  if (mask.dim() == 1 && mask.size(0) == batch) return (steps < mask.reshape({-1, 1})).reshape({batch, 1, 1, keys});
  if (mask.dim() == 1 && mask.size(0) == 2 * batch) {
    const Tensor ends = mask.slice(0, 0, batch).reshape({-1, 1}), starts = mask.slice(0, batch).reshape({-1, 1});
    return at::logical_and(steps < ends, steps >= starts).reshape({batch, 1, 1, keys});
  }
  throw Error("mask: expected (batch), (2 * batch), (batch, keys) or (batch, queries, keys)");
}

struct Parts {
  Tensor query, key, value, mask, bias;
  std::int64_t past = 0;  ///< Steps of the keys that came before.
};

Tensor attend(const Runtime& what, const Parts& parts) {
  Tensor scores =
      match(parts.query, parts.key, what.scale.value_or(1 / std::sqrt(static_cast<double>(parts.query.size(3)))));
  const std::int64_t queries = parts.query.size(2), keys = parts.key.size(2);
  if (parts.bias.defined()) scores = scores + parts.bias;
  if (parts.mask.defined()) {
    const Tensor visible = visible_keys(parts.mask, parts.query.size(0), keys);
    scores = scores + at::logical_not(visible).to(scores.scalar_type()) * what.hidden;
  }
  if (what.causal)
    scores =
        hidden_where_not(scores, causal(queries, keys, parts.past, scores), -std::numeric_limits<double>::infinity());
  return merge_heads(gather_values(at::softmax(scores, -1), parts.value));
}

// Operands: x, weight (input, query + key + value), bias, mask, past (2, batch, heads, steps, size), bias of the
// scores.
Kernel projected(const Build& build) {
  if (build.flag("do_rotary") || build.flag("past_present_share_buffer"))
    throw Error("expected no do_rotary and no past_present_share_buffer");
  return [what = read(build), sizes = build.integers("qkv_hidden_sizes")](Call& call) {
    const Tensor &x = call.in(0), &weight = call.in(1);
    Tensor all = at::matmul(x, weight);
    if (call.has(2)) all = all + call.in(2);
    const std::vector<std::int64_t> widths =
        sizes.size() == 3 ? sizes : std::vector<std::int64_t>(3, weight.size(1) / 3);
    const auto rows = all.split_with_sizes(widths, 2);
    Parts parts;
    parts.query = split_heads(rows[0], what.heads);
    parts.key = split_heads(rows[1], what.heads);
    parts.value = split_heads(rows[2], what.heads);
    if (call.has(4)) {
      parts.past = call.in(4).size(3);
      parts.key = behind(call.in(4).select(0, 0), parts.key);
      parts.value = behind(call.in(4).select(0, 1), parts.value);
    }
    parts.mask = call.maybe(3);
    parts.bias = call.maybe(5);
    if (call.wants(1)) call.out(1, at::stack({parts.key, parts.value}));
    call.out(0, attend(what, parts));
  };
}

// Query, key and value, or several of them packed: (batch, steps, heads, 3 or 2, size).
Parts unpack(Call& call, std::int64_t heads) {
  Parts out;
  const Tensor& query = call.in(0);
  const auto packed = [](const Tensor& x, std::int64_t i) { return x.select(3, i).transpose(1, 2); };
  if (query.dim() == 5) {
    out.query = packed(query, 0);
    out.key = packed(query, 1);
    out.value = packed(query, 2);
    return out;
  }
  out.query = split_heads(query, heads);
  if (call.in(1).dim() == 5) {
    out.key = packed(call.in(1), 0);
    out.value = packed(call.in(1), 1);
    return out;
  }
  out.key = split_heads(call.in(1), heads);
  out.value = split_heads(call.in(2), heads);
  return out;
}

// A row of the bias for each of the parts.
void add_bias(Parts& parts, const Tensor& bias) {
  std::int64_t begin = 0;
  for (Tensor* part : {&parts.query, &parts.key, &parts.value}) {
    const std::int64_t heads = part->size(1), size = part->size(3);
    *part = *part + bias.slice(0, begin, begin + heads * size).reshape({1, heads, 1, size});
    begin += heads * size;
  }
}

// Operands: query, key, value, bias, mask of the keys, bias of the scores, past key, past value.
Kernel multi_head(const Build& build) {
  return [what = read(build)](Call& call) {
    if (call.has(8)) throw Error("expected no past_sequence_length");
    Parts parts = unpack(call, what.heads);
    if (call.has(3)) add_bias(parts, call.in(3));
    if (call.has(6)) parts.past = call.in(6).size(2);
    parts.key = behind(call.maybe(6), parts.key);
    parts.value = behind(call.maybe(7), parts.value);
    parts.mask = call.maybe(4);
    parts.bias = call.maybe(5);
    call.out(0, attend(what, parts));
    call.out(1, parts.key);
    call.out(2, parts.value);
  };
}

}  // namespace

void add_runtime_attention_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"com.microsoft", "Attention", projected});
  entries.push_back({"com.microsoft", "MultiHeadAttention", multi_head});
}

}  // namespace coppice::executor
