#pragma once
#include <string>
#include <vector>

#include "coppice/torch/calibration.hpp"

namespace coppice {

/// The inputs of the first sample of the data, on `device`: copies. Throws Error, which begins with `where`, for a
/// batch without samples; empty where there is no data.
std::vector<at::Tensor> first_sample(const BatchSource& data, at::Device device, const std::string& where);

/// Batches in an epoch; goes through data that do not know.
std::int64_t count_batches(const BatchSource& data);

}  // namespace coppice
