#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coppice/torch/calibration.hpp"

namespace coppice::data {

/// Samples with or without targets, as the command line names them.
class Dataset {
 public:
  /// All of the same length, at least 1, along their first axis; the target may be undefined. Bytes are pictures:
  /// batches have them as numbers from 0 to 1.
  Dataset(std::vector<at::Tensor> inputs, at::Tensor target);

  std::int64_t size() const { return inputs_.front().size(0); }
  /// Real inputs, and pictures, become `real`.
  Batch gather(const at::Tensor& indices, at::ScalarType real) const;

 private:
  std::vector<at::Tensor> inputs_;
  at::Tensor target_;
};

/// Reads what `text` names:
///   x.npy:y.npy           inputs and targets; several inputs as a.npy,b.npy:y.npy; inputs alone as x.npy
///   fashion-mnist[:N]     the (first N) training pictures [N, 1, 28, 28] of Debian's package dataset-fashion-mnist
///   idx:FOLDER[:N]        the same of a folder with files named as MNIST's, compressed or not
/// Throws Error, which names the file.
Dataset read(const std::string& text);

/// The pictures and labels of such a folder; `most` 0: all.
Dataset read_idx_folder(const std::string& folder, bool training, std::int64_t most = 0);
/// Where Debian's package keeps Fashion-MNIST.
inline constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

struct Order {
  std::int64_t batch_size = 32;
  bool shuffled = true;  ///< Otherwise in the order of the files.
  std::uint64_t seed = 0;
  at::ScalarType real = at::kFloat;
};

/// Goes through all samples, each once; the last batch may be smaller. The same order for a seed on every machine.
BatchSource batches(std::shared_ptr<const Dataset> dataset, const Order& order);

}  // namespace coppice::data
