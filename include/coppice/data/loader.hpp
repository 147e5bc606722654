#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "coppice/data/dataset.hpp"
#include "coppice/data/transforms.hpp"

namespace coppice::data {

struct LoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffled = true;    ///< In another order every epoch; otherwise in the order of the data.
  bool drop_last = false;  ///< Leave out a last batch that is smaller than the others.
  std::uint64_t seed = 0;
  int workers = 0;  ///< Threads that fetch batches ahead; 0: fetched when they are asked for.
  at::ScalarType real = at::kFloat;
  std::vector<Transform> transforms{};  ///< In this order, after bytes became numbers from 0 to 1.
};

/// Goes through a data set in batches, each sample once an epoch. Order and transforms depend on seed, epoch and the
/// batch's number alone: the same on every machine and with any number of workers, wherever one begins.
class Loader {
 public:
  /// Throws Error for a batch size below 1, and when `drop_last` leaves nothing.
  Loader(DatasetPtr dataset, LoaderOptions options = {});

  /// Batches in an epoch.
  std::int64_t batches() const;
  /// Calls back with the batches of an epoch from the one with the number `first` on, until the callback returns false.
  /// Real inputs and targets, and pictures of bytes, have the type `real`.
  void for_each(std::int64_t epoch, std::int64_t first, const std::function<bool(Batch)>& callback) const;

 private:
  Batch fetch(const at::Tensor& order, std::int64_t epoch, std::int64_t batch) const;

  DatasetPtr dataset_;
  LoaderOptions options_;
};

}  // namespace coppice::data
