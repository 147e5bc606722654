#include "data/sample_numbers.hpp"

#include <string>

#include "coppice/base/error.hpp"

namespace coppice::data {

void expect_sample(std::int64_t sample, std::int64_t size) {
  if (sample < 0 || sample >= size)
    throw Error("data: expected samples 0 to " + std::to_string(size - 1) + ", found " + std::to_string(sample));
}

std::vector<std::int64_t> sample_numbers(const at::Tensor& samples, std::int64_t size) {
  const at::Tensor numbers = samples.to(at::kLong).contiguous();
  const auto* data = numbers.data_ptr<std::int64_t>();
  std::vector<std::int64_t> out(data, data + numbers.numel());
  for (const std::int64_t sample : out) expect_sample(sample, size);
  return out;
}

}  // namespace coppice::data
