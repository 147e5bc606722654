#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "coppice/base/error.hpp"

#include "torch/kernels/heads.hpp"
#include "torch/kernels/kernels.hpp"

/// GroupQueryAttention of ONNX Runtime's domain: query heads that share keys, a cache, and sinks beside the scores.
namespace coppice::executor {
namespace {

using at::Tensor;

struct Grouped {
  std::int64_t heads = 0, shared = 0, window = -1;
  std::optional<double> scale;
  double softcap = 0;
  bool rotary = false, sink = false;
  Rotary turns;
};

struct Parts {
  Tensor query, key, value;
};

// Query, key and value, or all of them packed in the first operand.
Parts unpack(Call& call, const Grouped& what) {
  if (call.has(1))
    return {split_heads(call.in(0), what.heads), split_heads(call.in(1), what.shared),
            split_heads(call.in(2), what.shared)};
  const Tensor all = split_heads(call.in(0), what.heads + 2 * what.shared);
  const auto parts = all.split_with_sizes({what.heads, what.shared, what.shared}, 1);
  return {parts[0], parts[1], parts[2]};
}

// The cache with the new steps at their positions (batch, steps), as long as `steps` asks for.
Tensor store(const Tensor& past, const Tensor& now, const Tensor& positions, std::int64_t steps) {
  const std::int64_t old = past.defined() ? past.size(2) : 0, length = std::max(old, steps);
  if (old == 0 && now.size(2) == length) return now;
  const Tensor base =
      past.defined() ? at::constant_pad_nd(past, {0, 0, 0, length - old}, 0)
                     : at::zeros({now.size(0), now.size(1), length, now.size(3)}, now.options().requires_grad(false));
  return at::scatter(base, 2, positions.reshape({now.size(0), 1, now.size(2), 1}).expand_as(now), now);
}

// Softmax beside one more score a head, which takes its share and gives nothing.
Tensor softmax_with_sink(const Tensor& scores, const Tensor& sink) {
  const Tensor column = sink.reshape({1, -1, 1, 1}).expand({scores.size(0), scores.size(1), scores.size(2), 1});
  return at::softmax(at::cat({scores, column}, -1), -1).slice(-1, 0, scores.size(3));
}

// Operands: query, key, value, past key, past value, last key of each sample, number of steps in all, cosines, sines,
// positions, bias of the scores, sinks.
void run(Call& call, const Grouped& what) {
  Parts parts = unpack(call, what);
  const Tensor& query = parts.query;
  const std::int64_t steps = query.size(2), all = static_cast<std::int64_t>(call.number(6));
  const Tensor totals = call.in(5).to(at::kLong).reshape({-1, 1}) + 1;
  // A prompt starts at 0, however much of it counts; later steps come behind what is there.
  const Tensor starts = steps == all ? at::zeros_like(totals) : totals - steps;
  const Tensor positions = starts + at::arange(steps, totals.options());
  if (what.rotary) {
    const Tensor places = call.has(9) ? call.in(9).to(at::kLong) : positions;
    const Tensor cosines = at::embedding(call.in(7), places).unsqueeze(1);
    const Tensor sines = at::embedding(call.in(8), places).unsqueeze(1);
    Rotary turns = what.turns;
    turns.size = 2 * cosines.size(-1);
    parts.query = turn(parts.query, cosines, sines, turns);
    parts.key = turn(parts.key, cosines, sines, turns);
  }
  parts.key = store(call.maybe(3), parts.key, positions, all);
  parts.value = store(call.maybe(4), parts.value, positions, all);
  call.out(1, parts.key);
  call.out(2, parts.value);

  const Tensor key = parts.key.slice(2, 0, all), value = parts.value.slice(2, 0, all);
  Tensor scores = match(parts.query, key, what.scale.value_or(1 / std::sqrt(static_cast<double>(query.size(3)))));
  scores = soft_capped(scores, what.softcap);
  if (call.has(10)) scores = scores + call.in(10);
  const Tensor keys = at::arange(all, totals.options()).reshape({1, 1, 1, -1});
  const Tensor now = positions.reshape({positions.size(0), 1, steps, 1});
  Tensor visible = keys <= now;
  if (what.window > 0) visible = at::logical_and(visible, keys > now - what.window);
  scores = hidden_where_not(scores, visible, -std::numeric_limits<double>::infinity());
  const Tensor none = at::zeros({what.heads}, scores.options().requires_grad(false));
  const Tensor weights = call.has(11) || what.sink ? softmax_with_sink(scores, call.has(11) ? call.in(11) : none)
                                                   : at::softmax(scores, -1);
  call.out(0, merge_heads(gather_values(weights, value)));
}

Kernel grouped_query(const Build& build) {
  Grouped what;
  what.heads = build.integer("num_heads", 0);
  what.shared = build.integer("kv_num_heads", 0);
  what.window = build.integer("local_window_size", -1);
  what.softcap = build.real("softcap", 0);
  what.rotary = build.flag("do_rotary");
  what.turns.interleaved = build.flag("rotary_interleaved");
  what.sink = build.integer("smooth_softmax", 0) > 0;
  if (build.real("scale", 0) != 0) what.scale = build.real("scale", 0);
  if (build.integer("qk_output", 0) != 0) throw Error("expected qk_output 0");
  return [what](Call& call) { run(call, what); };
}

}  // namespace

void add_grouped_attention_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"com.microsoft", "GroupQueryAttention", grouped_query});
}

}  // namespace coppice::executor
