#include "train/batches.hpp"

#include "torch/scoring/batches.hpp"

namespace coppice {

std::vector<at::Tensor> first_sample(const BatchSource& data, at::Device device, const std::string& where) {
  std::vector<at::Tensor> out;
  data.for_each([&](Batch batch) {
    scoring::samples_of(batch, false, where);
    scoring::move_to(batch, device);
    for (const at::Tensor& input : batch.inputs) out.push_back(input.narrow(0, 0, 1).clone());
    return false;
  });
  return out;
}

std::int64_t count_batches(const BatchSource& data) {
  if (const auto known = data.batches()) return *known;
  std::int64_t out = 0;
  data.for_each([&](const Batch&) { return ++out > 0; });
  return out;
}

}  // namespace coppice
