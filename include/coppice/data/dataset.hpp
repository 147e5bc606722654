#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coppice/torch/calibration.hpp"

/// Samples to train, calibrate and measure on.
namespace coppice::data {

/// Samples that can be fetched by number, from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  /// The samples of these numbers (int64, one axis, on the CPU), in their order: as they are kept, so that pictures are
  /// bytes. A new batch. Throws Error that names the file of a sample that cannot be read.
  virtual Batch gather(const at::Tensor& samples) const = 0;
  /// By class number, where the data name them.
  virtual std::vector<std::string> class_names() const { return {}; }
  /// What was wrong with each record that was left out as damaged.
  virtual std::vector<std::string> skipped() const { return {}; }
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// Tensors in memory.
class TensorDataset : public Dataset {
 public:
  /// Shares the tensors. Throws Error unless all have the same length, at least 1, along their first axis; the target
  /// may be undefined.
  TensorDataset(std::vector<at::Tensor> inputs, at::Tensor target);

  std::int64_t size() const override { return inputs_.front().size(0); }
  Batch gather(const at::Tensor& samples) const override;

 private:
  std::vector<at::Tensor> inputs_;
  at::Tensor target_;
};

/// Some samples of another data set, by number.
class Subset : public Dataset {
 public:
  /// Throws Error for a number that `whole` does not have, and for an empty list.
  Subset(DatasetPtr whole, std::vector<std::int64_t> samples);

  std::int64_t size() const override { return samples_.size(0); }
  Batch gather(const at::Tensor& samples) const override;
  std::vector<std::string> class_names() const override { return whole_->class_names(); }
  std::vector<std::string> skipped() const override { return whole_->skipped(); }

 private:
  DatasetPtr whole_;
  at::Tensor samples_;
};

/// The first `most` samples, or all where there are no more.
DatasetPtr first_samples(DatasetPtr whole, std::int64_t most);

/// Fetches every sample once, in several threads, and leaves out those for which an Error is thrown: skipped() tells
/// what they said, in their order. `whole` itself where there are none. Throws Error where no sample is left.
DatasetPtr without_damaged(const DatasetPtr& whole);

/// The numbers 0 to count - 1 in an order that depends on the seed alone, the same on every machine.
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed);

/// Sets round(fraction * size) samples aside, drawn by the seed: the rest, and those. Both keep the order of the whole.
/// Throws Error unless both get a sample.
std::pair<DatasetPtr, DatasetPtr> hold_out(const DatasetPtr& whole, double fraction, std::uint64_t seed = 0);

}  // namespace coppice::data
