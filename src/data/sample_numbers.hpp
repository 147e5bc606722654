#pragma once
#include <cstdint>
#include <vector>

#include "coppice/torch/aten.hpp"

namespace coppice::data {

/// The elements. Throws Error for a number that a data set of `size` samples does not have.
std::vector<std::int64_t> sample_numbers(const at::Tensor& samples, std::int64_t size);
void expect_sample(std::int64_t sample, std::int64_t size);

}  // namespace coppice::data
