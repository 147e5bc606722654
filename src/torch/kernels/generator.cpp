#include <optional>

#include <ATen/CPUGeneratorImpl.h>

#include "coppice/torch/tensors.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

// libtorch's own generator (torch::manual_seed), or one that the node's seed starts when the module is made.
at::Generator generator(const Build& build) {
  if (!build.node().has("seed")) return at::detail::getDefaultCPUGenerator();
  return at::detail::createCPUGenerator(static_cast<std::uint64_t>(static_cast<std::int64_t>(build.real("seed", 0))));
}

// The element type that an attribute names, else the operand's.
std::optional<at::ScalarType> own_type(const Build& build) {
  if (!build.node().has("dtype")) return std::nullopt;
  return build.type("dtype", tensor::DType::float32);
}

using Draw = at::Tensor (*)(at::IntArrayRef shape, double a, double b, const at::Generator& source);

at::Tensor normal(at::IntArrayRef shape, double mean, double scale, const at::Generator& source) {
  return at::normal(mean, scale, shape, source, at::TensorOptions(at::kDouble));
}

at::Tensor uniform(at::IntArrayRef shape, double low, double high, const at::Generator& source) {
  return at::rand(shape, source, at::TensorOptions(at::kDouble)) * (high - low) + low;
}

template <Draw kDraw>
Kernel random(const Build& build) {
  constexpr bool gaussian = kDraw == normal;
  const double a = gaussian ? build.real("mean", 0) : build.real("low", 0);
  const double b = gaussian ? build.real("scale", 1) : build.real("high", 1);
  return [=, shape = build.integers("shape"), type = build.type("dtype", tensor::DType::float32),
          source = generator(build)](Call& call) { call.out(0, kDraw(shape, a, b, source).to(type)); };
}

template <Draw kDraw>
Kernel random_like(const Build& build) {
  constexpr bool gaussian = kDraw == normal;
  const double a = gaussian ? build.real("mean", 0) : build.real("low", 0);
  const double b = gaussian ? build.real("scale", 1) : build.real("high", 1);
  return [=, type = own_type(build), source = generator(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    call.out(0, kDraw(x.sizes(), a, b, source).to(x.device(), type.value_or(x.scalar_type())));
  };
}

Kernel bernoulli(const Build& build) {
  return [type = own_type(build), source = generator(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    const at::Tensor drawn = at::bernoulli(x.detach().to(at::kCPU, at::kDouble), source);
    call.out(0, drawn.to(x.device(), type.value_or(x.scalar_type())));
  };
}

Kernel multinomial(const Build& build) {
  return [count = build.integer("sample_size", 1), type = build.type("dtype", tensor::DType::int32),
          source = generator(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    const at::Tensor chances = at::softmax(x.detach().to(at::kCPU, at::kDouble), -1);
    call.out(0, at::multinomial(chances, count, true, source).to(x.device(), type));
  };
}

Kernel eye_like(const Build& build) {
  return [diagonal = build.integer("k", 0), type = own_type(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    const auto index = at::TensorOptions(at::kLong).device(x.device());
    const at::Tensor rows = at::arange(x.size(0), index).unsqueeze(1), columns = at::arange(x.size(1), index);
    call.out(0, (columns - rows == diagonal).to(type.value_or(x.scalar_type())));
  };
}

}  // namespace

void add_generator_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Bernoulli", bernoulli});
  entries.push_back({"", "EyeLike", eye_like});
  entries.push_back({"", "Multinomial", multinomial});
  entries.push_back({"", "RandomNormal", random<normal>});
  entries.push_back({"", "RandomNormalLike", random_like<normal>});
  entries.push_back({"", "RandomUniform", random<uniform>});
  entries.push_back({"", "RandomUniformLike", random_like<uniform>});
}

}  // namespace coppice::executor
