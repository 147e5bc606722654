#include "torch/kernels/layer_norm.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

bool spans(const Tensor& parameter, at::IntArrayRef shape) {
  return !parameter.defined() || parameter.sizes() == shape;
}

}  // namespace

LayerNormed layer_norm(const Tensor& x, const Tensor& scale, const Tensor& bias, std::int64_t axis, double epsilon,
                       bool centred, bool statistics) {
  if (axis < 0) axis += x.dim();
  const at::IntArrayRef shape = x.sizes().slice(static_cast<std::size_t>(axis));
  LayerNormed out;
  if (centred && !statistics && spans(scale, shape) && spans(bias, shape)) {
    out.y = at::layer_norm(x, shape, scale, bias, epsilon);
    return out;
  }
  std::vector<std::int64_t> axes;
  for (std::int64_t k = axis; k < x.dim(); ++k) axes.push_back(k);
  Tensor rest = x;
  if (centred) {
    out.mean = at::mean(x, axes, true);
    rest = x - out.mean;
  }
  out.deviation = at::rsqrt(at::mean(rest * rest, axes, true) + epsilon);
  out.y = rest * out.deviation;
  if (scale.defined()) out.y = out.y * scale;
  if (bias.defined()) out.y = out.y + bias;
  return out;
}

namespace {

Kernel layer_normalization(const Build& build) {
  const std::int64_t axis = build.integer("axis", -1);
  return [axis, epsilon = build.real("epsilon", 1e-5)](Call& call) {
    LayerNormed out =
        layer_norm(call.in(0), call.maybe(1), call.maybe(2), axis, epsilon, true, call.wants(1) || call.wants(2));
    call.out(0, std::move(out.y));
    call.out(1, std::move(out.mean));
    call.out(2, std::move(out.deviation));
  };
}

Kernel rms_normalization(const Build& build) {
  const std::int64_t axis = build.integer("axis", -1);
  return [axis, epsilon = build.real("epsilon", 1e-5)](Call& call) {
    LayerNormed out = layer_norm(call.in(0), call.maybe(1), {}, axis, epsilon, false, false);
    call.out(0, std::move(out.y));
    call.out(1, std::move(out.deviation));
  };
}

// Operands: input, skip, gamma, beta (layer norm only), bias. The skip may lack the batch.
template <bool kCentred>
Kernel skip_layer_norm(const Build& build) {
  return [epsilon = build.real("epsilon", 1e-12)](Call& call) {
    constexpr std::size_t kBias = kCentred ? 4 : 3;
    Tensor sum = call.in(0) + call.in(1);
    if (call.has(kBias)) sum = sum + call.in(kBias);
    LayerNormed out = layer_norm(sum, call.in(2), kCentred ? call.maybe(3) : Tensor(), -1, epsilon, kCentred,
                                 call.wants(1) || call.wants(2));
    call.out(0, std::move(out.y));
    call.out(1, std::move(out.mean));
    call.out(2, std::move(out.deviation));
    call.out(3, std::move(sum));
  };
}

}  // namespace

void add_layer_norm_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "LayerNormalization", layer_normalization});
  entries.push_back({"", "RMSNormalization", rms_normalization});
  entries.push_back({"", "SimplifiedLayerNormalization", rms_normalization});
  entries.push_back({"com.microsoft", "SimplifiedLayerNormalization", rms_normalization});
  entries.push_back({"com.microsoft", "SkipLayerNormalization", skip_layer_norm<true>});
  entries.push_back({"com.microsoft", "SkipSimplifiedLayerNormalization", skip_layer_norm<false>});
}

}  // namespace coppice::executor
