#include "torch/scoring/batches.hpp"

namespace coppice::scoring {

std::int64_t samples_of(const Batch& batch, bool needs_target, const std::string& where) {
  if (batch.inputs.empty()) throw Error(where + ": expected inputs, found none");
  for (const at::Tensor& input : batch.inputs)
    if (!input.defined() || input.dim() == 0) throw Error(where + ": expected inputs with a first axis of samples");
  const std::int64_t samples = batch.inputs.front().size(0);
  if (samples == 0) throw Error(where + ": expected samples, found none");
  const auto check = [&](const at::Tensor& tensor, const std::string& what) {
    const std::int64_t found = tensor.dim() == 0 ? 0 : tensor.size(0);
    if (found != samples)
      throw Error(where + ": expected " + std::to_string(samples) + " samples in " + what +
                  ", as in the first input, found " + std::to_string(found));
  };
  for (std::size_t i = 1; i < batch.inputs.size(); ++i) check(batch.inputs[i], "input " + std::to_string(i));
  if (needs_target && !batch.target.defined()) throw Error(where + ": expected a target for the loss, found none");
  if (needs_target) check(batch.target, "the target");
  return samples;
}

void move_to(Batch& batch, at::Device device) {
  for (at::Tensor& input : batch.inputs) input = input.to(device);
  if (batch.target.defined()) batch.target = batch.target.to(device);
}

std::int64_t for_each_batch(const Calibration& calibration, at::Device device, bool needs_target,
                            const std::function<void(const Batch&, const std::string& where)>& callback) {
  if (calibration.batches < 0)
    throw Error("calibration: expected a number of batches of 0 (all) or more, found " +
                std::to_string(calibration.batches));
  std::int64_t samples = 0;
  int done = 0;
  calibration.data.for_each([&](Batch batch) {
    const std::string where = "calibration batch " + std::to_string(done);
    samples += samples_of(batch, needs_target, where);
    move_to(batch, device);
    callback(batch, where);
    return ++done != calibration.batches;
  });
  if (done == 0) throw Error("calibration: expected data, found none");
  return samples;
}

}  // namespace coppice::scoring
