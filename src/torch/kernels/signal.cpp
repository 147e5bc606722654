#include <algorithm>
#include <cmath>
#include <numbers>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

// A sum of cosines; periodic windows leave out the last point of a symmetric one that is longer by one.
Kernel window(const Build& build, std::vector<double> terms) {
  const at::ScalarType type = build.type("output_datatype", tensor::DType::float32);
  return [=, periodic = build.flag("periodic", true), terms = std::move(terms)](Call& call) {
    const std::int64_t size = one_integer(call, 0), span = std::max<std::int64_t>(periodic ? size : size - 1, 1);
    const at::Tensor angle = at::arange(size, at::kDouble) * (2 * std::numbers::pi / static_cast<double>(span));
    at::Tensor out = at::zeros({size}, at::kDouble);
    for (std::size_t i = 0; i < terms.size(); ++i) out = out + at::cos(angle * static_cast<double>(i)) * terms[i];
    call.out(0, out.to(type));
  };
}

Kernel blackman(const Build& build) {
  return window(build, {0.42, -0.5, 0.08});
}

Kernel hamming(const Build& build) {
  return window(build, {25.0 / 46, -21.0 / 46});
}

Kernel hann(const Build& build) {
  return window(build, {0.5, -0.5});
}

// The last axis holds one number or two: the real and the imaginary part.
at::Tensor as_complex(const at::Tensor& x) {
  const at::Tensor both = x.size(-1) == 2 ? x : at::cat({x, at::zeros_like(x)}, -1);
  return at::view_as_complex(both.contiguous());
}

// The axis was an attribute first, and is an operand from 20 on.
Kernel dft(const Build& build) {
  const bool inverse = build.flag("inverse"), half = build.flag("onesided");
  const bool has_operand = build.opset() >= 20;
  return [=, fixed = build.integer("axis", 1)](Call& call) {
    const at::Tensor& x = call.in(0);
    const std::int64_t named = has_operand ? (call.has(2) ? one_integer(call, 2) : -2) : fixed;
    const std::int64_t axis = at::maybe_wrap_dim(named, x.dim());
    const std::int64_t length = call.has(1) ? one_integer(call, 1) : x.size(axis);
    // Sums over the whole axis: parts that cancel out keep nothing but the rounding errors.
    const at::Tensor in = as_complex(x.to(at::kDouble));
    at::Tensor out = inverse ? at::fft_ifft(in, length, axis) : at::fft_fft(in, length, axis);
    if (half) out = out.narrow(axis, 0, length / 2 + 1);
    call.out(0, at::view_as_real(out).to(x.scalar_type()));
  };
}

Kernel stft(const Build& build) {
  return [half = build.flag("onesided", true)](Call& call) {
    at::Tensor signal = call.in(0), window = call.maybe(2);
    to_one_device({&signal, &window});
    const std::int64_t step = one_integer(call, 1);
    const std::int64_t length = call.has(3) ? one_integer(call, 3) : window.defined() ? window.size(0) : signal.size(1);
    if (step < 1 || length < 1) throw Error("expected a step and a length of 1 or more");
    // [batch, frames, parts, length]
    at::Tensor frames = (signal.dim() == 2 ? signal.unsqueeze(2) : signal).unfold(1, length, step);
    if (window.defined()) frames = frames * window;
    const at::Tensor out = at::fft_fft(as_complex(frames.transpose(2, 3)), length, 2);
    call.out(0, at::view_as_real(half ? out.narrow(2, 0, length / 2 + 1) : out));
  };
}

double to_mel(double hertz) {
  return 2595 * std::log10(1 + hertz / 700);
}

double to_hertz(double mel) {
  return 700 * (std::pow(10.0, mel / 2595) - 1);
}

// Triangles that stand evenly on the mel scale, their corners rounded down to bins of the spectrum.
Kernel mel_weight_matrix(const Build& build) {
  const at::ScalarType type = build.type("output_datatype", tensor::DType::float32);
  return [=](Call& call) {
    const std::int64_t bands = one_integer(call, 0), length = one_integer(call, 1);
    const double rate = call.number(2), low = to_mel(call.number(3)), high = to_mel(call.number(4));
    if (bands < 1 || length < 1 || !(rate > 0)) throw Error("expected numbers above 0");
    const std::int64_t bins = length / 2 + 1;
    std::vector<std::int64_t> corners;
    for (std::int64_t i = 0; i < bands + 2; ++i) {
      const double hertz = to_hertz(low + (high - low) * static_cast<double>(i) / static_cast<double>(bands + 2));
      corners.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(length + 1) * hertz / rate)));
    }
    at::Tensor out = at::zeros({bins, bands}, at::kDouble);
    auto cells = out.accessor<double, 2>();
    const auto set = [&](std::int64_t bin, std::int64_t band, std::int64_t part, std::int64_t whole) {
      if (bin >= 0 && bin < bins) cells[bin][band] = static_cast<double>(part) / static_cast<double>(whole);
    };
    for (std::int64_t band = 0; band < bands; ++band) {
      const auto at = static_cast<std::size_t>(band);
      const std::int64_t left = corners[at], top = corners[at + 1], right = corners[at + 2];
      if (left == top) set(top, band, 1, 1);
      for (std::int64_t bin = left; bin < top; ++bin) set(bin + 1, band, bin + 1 - left, top - left);
      for (std::int64_t bin = top; bin < right; ++bin) set(bin, band, right - bin, right - top);
    }
    call.out(0, out.to(type));
  };
}

}  // namespace

void add_signal_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "BlackmanWindow", blackman});
  entries.push_back({"", "DFT", dft});
  entries.push_back({"", "HammingWindow", hamming});
  entries.push_back({"", "HannWindow", hann});
  entries.push_back({"", "MelWeightMatrix", mel_weight_matrix});
  entries.push_back({"", "STFT", stft});
}

}  // namespace coppice::executor
