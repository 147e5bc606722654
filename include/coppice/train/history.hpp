#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coppice/train/evaluate.hpp"

namespace coppice {

/// One epoch of a training.
struct EpochRecord {
  std::int64_t epoch = 0, step = 0;                    ///< From 0; steps taken when it ended.
  double learning_rate = 0;                            ///< Of the last step, of the first group of parameters.
  double training_loss = 0;                            ///< Mean over the samples, as the epoch went.
  std::optional<Evaluation> validation;                ///< Where there are data for it.
  std::vector<std::pair<std::string, double>> values;  ///< From callbacks, such as "sparsity".
  double seconds = 0;
};

/// The epochs of a training so far.
struct History {
  std::vector<EpochRecord> epochs;

  /// A header and a line an epoch; numbers as short as they can be read back exactly.
  std::string csv() const;
  std::string json() const;
  /// Throws Error on anything but what json() writes.
  static History parse(const std::string& json);
};

}  // namespace coppice
