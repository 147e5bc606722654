#include <algorithm>
#include <utility>

#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/checks.hpp"
#include "tensor/power_sums_job.hpp"

namespace coppice::tensor {

std::vector<std::vector<std::vector<double>>> axis_power_sums(std::span<const PowerSumRequest> requests) {
  constexpr std::size_t kShareElements = std::size_t{1} << 17;
  struct Part {
    std::size_t job, part;
  };
  std::vector<PowerSumJob> jobs;
  jobs.reserve(requests.size());
  std::vector<Part> parts;
  std::vector<std::size_t> shares{0};  // many small tensors together, or a part of a large one
  std::size_t weight = 0;
  for (std::size_t job = 0; job < requests.size(); ++job) {
    jobs.emplace_back(requests[job]);
    const auto elements = static_cast<std::size_t>(requests[job].tensor->elements());
    for (std::size_t part = 0; part < jobs[job].parts(); ++part) {
      parts.push_back({job, part});
      weight += elements / jobs[job].parts() + 1024;
      if (weight < kShareElements) continue;
      shares.push_back(parts.size());
      weight = 0;
    }
  }
  if (shares.back() != parts.size()) shares.push_back(parts.size());
  base::parallel_for(shares.size() - 1, 1, [&](std::size_t begin, std::size_t end) {
    GiveBack back;
    for (std::size_t i = shares[begin]; i < shares[end]; ++i) jobs[parts[i].job].run(parts[i].part, back);
  });
  std::vector<std::vector<std::vector<double>>> out;
  out.reserve(jobs.size());
  for (const auto& job : jobs) out.push_back(job.fold());
  return out;
}

std::vector<double> element_powers(const Tensor& tensor, int power, const ZeroPoint& zero) {
  Tensor flat = tensor;
  flat.shape = {tensor.elements()};
  const std::size_t axis = 0;
  if (zero.values.size() <= 1) {
    return std::move(axis_power_sums(flat, {&axis, 1}, power, zero).front());
  }
  check_zero_point("element_powers", tensor.shape, zero.values.size(), zero.axis);
  const std::size_t inner = extent_product(tensor.shape, zero.axis + 1, tensor.shape.size());
  ZeroPoint each;
  each.values.resize(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < each.values.size(); ++i) each.values[i] = zero.values[i / inner % zero.values.size()];
  return std::move(axis_power_sums(flat, {&axis, 1}, power, each).front());
}

std::vector<std::vector<double>> axis_power_sums(const Tensor& tensor, std::span<const std::size_t> axes, int power,
                                                 const ZeroPoint& zero) {
  const PowerSumRequest request{&tensor, {axes.begin(), axes.end()}, power, zero};
  return std::move(axis_power_sums(std::span(&request, 1)).front());
}

}  // namespace coppice::tensor
