#pragma once
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "coppice/train/evaluate.hpp"

namespace coppice::cli {

/// How well each class is told, where the data name their classes.
class ClassAccuracy {
 public:
  explicit ClassAccuracy(std::vector<std::string> names);

  /// The accuracy, counting by class each time it is asked; must not outlive this.
  Metric counting();
  /// Nothing was counted: no names, or something else than one class for each sample.
  bool empty() const { return !fits_; }
  /// By class number: name, samples and, where there are any, accuracy.
  nlohmann::ordered_json json() const;

 private:
  void count(const at::Tensor& logits, const at::Tensor& target);

  std::vector<std::string> names_;
  at::Tensor samples_, right_;
  bool fits_;
};

}  // namespace coppice::cli
