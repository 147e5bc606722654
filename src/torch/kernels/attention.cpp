#include <cmath>
#include <limits>
#include <optional>

#include "torch/kernels/heads.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

constexpr double kNever = -std::numeric_limits<double>::infinity();

struct Attention {
  std::int64_t query_heads = 0, key_heads = 0, shows = 0;
  std::optional<double> scale;
  double softcap = 0;
  bool causal = false;
  std::optional<at::ScalarType> precision;  ///< Of the softmax.
};

// A mask of truths says who may be seen, one of numbers is added. It may lack the last of the keys, which then nobody
// sees.
Tensor masked(const Tensor& scores, const Tensor& mask) {
  const std::int64_t lacking = scores.size(3) - mask.size(-1);
  const bool shorter = lacking > 0 && mask.size(-1) > 1;
  if (mask.scalar_type() == at::kBool)
    return hidden_where_not(scores, shorter ? at::constant_pad_nd(mask, {0, lacking}, false) : mask, kNever);
  return scores + (shorter ? at::constant_pad_nd(mask, {0, lacking}, kNever) : mask);
}

// Operands: query, key, value, mask, past key, past value, number of keys that count.
void run(Call& call, const Attention& what) {
  const Tensor query = split_heads(call.in(0), what.query_heads);
  const Tensor key = behind(call.maybe(4), split_heads(call.in(1), what.key_heads));
  const Tensor value = behind(call.maybe(5), split_heads(call.in(2), what.key_heads));
  const double scale = what.scale.value_or(1 / std::sqrt(static_cast<double>(query.size(3))));
  std::array<Tensor, 4> stages;
  stages[0] = match(query, key, scale);
  // The cap comes before the mask: it would give what is masked a share again.
  Tensor scores = stages[1] = soft_capped(stages[0], what.softcap);
  if (call.has(3)) scores = masked(scores, call.in(3));
  const std::int64_t queries = query.size(2), keys = key.size(2);
  if (what.causal)
    scores = hidden_where_not(scores, causal(queries, keys, call.has(4) ? call.in(4).size(2) : 0, scores), kNever);
  if (call.has(6)) {
    const Tensor counts = call.in(6).to(at::kLong);
    const Tensor visible = at::arange(keys, counts.options()) < counts.reshape({-1, 1});
    scores = hidden_where_not(scores, visible.reshape({-1, 1, 1, keys}), kNever);
  }
  stages[2] = scores;
  stages[3] =
      what.precision ? at::softmax(scores.to(*what.precision), -1).to(value.scalar_type()) : at::softmax(scores, -1);
  const Tensor y = gather_values(stages[3], value);
  call.out(0, call.in(0).dim() == 3 ? merge_heads(y) : y);
  call.out(1, key);
  call.out(2, value);
  call.out(3, stages[static_cast<std::size_t>(what.shows)]);
}

Kernel attention(const Build& build) {
  Attention what;
  what.query_heads = build.integer("q_num_heads", 0);
  what.key_heads = build.integer("kv_num_heads", 0);
  what.shows = std::clamp<std::int64_t>(build.integer("qk_matmul_output_mode", 0), 0, 3);
  what.softcap = build.real("softcap", 0);
  what.causal = build.flag("is_causal");
  if (build.node().has("scale")) what.scale = build.real("scale", 1);
  if (build.node().has("softmax_precision")) what.precision = build.type("softmax_precision", tensor::DType::float32);
  return [what](Call& call) { run(call, what); };
}

}  // namespace

void add_attention_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Attention", attention});
}

}  // namespace coppice::executor
