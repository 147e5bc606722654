#pragma once
#include <cstring>
#include <random>

#include "coppice/base/parallel.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// Random bytes of the given type; reals are drawn as values so that no NaN or infinity appears.
inline Tensor random_tensor(DType dtype, Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (is_real(dtype)) {
    std::normal_distribution<double> normal;
    std::vector<double> values(count);
    for (double& value : values) value = normal(random);
    return from_doubles(dtype, std::move(shape), values);
  }
  Buffer buffer(byte_size(dtype, static_cast<std::int64_t>(count)));
  for (std::byte& byte : buffer.span()) byte = static_cast<std::byte>(random());
  if (count % 2 == 1 && bit_width(dtype) == 4) buffer.span().back() &= std::byte{0xf};
  return {dtype, std::move(shape), std::move(buffer).freeze(), nullptr};
}

/// The same tensor over bytes that begin `shift` bytes after an aligned address.
inline Tensor shifted(const Tensor& tensor, std::size_t shift) {
  Buffer buffer(tensor.bytes.size() + shift);
  if (tensor.bytes.size() != 0) std::memcpy(buffer.span().data() + shift, tensor.bytes.data(), tensor.bytes.size());
  Tensor out = tensor;
  out.bytes = std::move(buffer).freeze().slice(shift, tensor.bytes.size());
  return out;
}

/// Sets the number of threads for a scope.
struct Threads {
  explicit Threads(int count) { base::set_thread_count(count); }
  ~Threads() { base::set_thread_count(0); }
};

}  // namespace coppice::tensor
