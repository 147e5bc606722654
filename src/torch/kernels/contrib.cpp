#include "torch/kernels/kernels.hpp"
#include "torch/kernels/layer_norm.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

// The version with tanh, and the exact one.
Tensor fast_gelu(const Tensor& x) {
  return at::gelu(x, "tanh");
}
Tensor exact_gelu(const Tensor& x) {
  return at::gelu(x);
}

// A bias of one number a channel of the last axis may come first.
template <Tensor (*kFunction)(const Tensor&)>
Kernel biased(const Build&) {
  return [](Call& call) { call.out(0, kFunction(call.has(1) ? call.in(0) + call.in(1) : call.in(0))); };
}

Kernel quick_gelu(const Build& build) {
  return [alpha = build.real("alpha", 1.702)](Call& call) {
    const Tensor& x = call.in(0);
    call.out(0, x * at::sigmoid(x * alpha));
  };
}

Kernel inverse(const Build&) {
  return [](Call& call) { call.out(0, at::inverse(call.in(0))); };
}

// Softmax over the axes from `axis` on, taken as one, of a sum. The addend repeats along the axes next to the
// softmax's, or along the first ones.
Kernel bias_softmax(const Build& build) {
  return [axis = build.integer("axis", 1), inner = build.flag("is_inner_broadcast", true)](Call& call) {
    const Tensor &x = call.in(0), &bias = call.in(1);
    const std::int64_t first = axis < 0 ? axis + x.dim() : axis;
    const Tensor rows = x.flatten(first);
    Tensor addend = bias.reshape({-1, rows.size(-1)});
    std::int64_t count = 1;
    for (std::int64_t k = 0; k < first; ++k) count *= x.size(k);
    const std::int64_t times = count / addend.size(0);
    addend = inner ? at::repeat_interleave(addend, times, 0) : addend.repeat({times, 1});
    call.out(0, at::softmax(rows.reshape({count, -1}) + addend, -1).reshape(x.sizes()));
  };
}

// Operands: ids, segments, tables of words, positions and segments, gamma, beta, mask, positions.
Kernel embed_layer_norm(const Build& build) {
  return [epsilon = build.real("epsilon", 1e-12)](Call& call) {
    const Tensor ids = call.in(0).to(at::kLong);
    const Tensor places = call.has(8) ? call.in(8).to(at::kLong) : at::arange(ids.size(1), ids.options());
    Tensor sum = at::embedding(call.in(2), ids) + at::embedding(call.in(3), places);
    if (call.has(1) && call.has(4)) sum = sum + at::embedding(call.in(4), call.in(1).to(at::kLong));
    call.out(0, layer_norm(sum, call.in(5), call.in(6), -1, epsilon, true, false).y);
    if (call.wants(1))
      call.out(
          1, call.has(7) ? at::sum(call.in(7), 1).to(at::kInt) : at::zeros({ids.size(0)}, ids.options()).to(at::kInt));
    call.out(2, sum);
  };
}

}  // namespace

void add_contrib_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"com.microsoft", "BiasGelu", biased<exact_gelu>});
  entries.push_back({"com.microsoft", "BiasSoftmax", bias_softmax});
  entries.push_back({"com.microsoft", "EmbedLayerNormalization", embed_layer_norm});
  entries.push_back({"com.microsoft", "FastGelu", biased<fast_gelu>});
  entries.push_back({"com.microsoft", "Gelu", biased<exact_gelu>});
  entries.push_back({"com.microsoft", "Inverse", inverse});
  entries.push_back({"com.microsoft", "QuickGelu", quick_gelu});
}

}  // namespace coppice::executor
