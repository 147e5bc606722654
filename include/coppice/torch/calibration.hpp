#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice {

/// Some samples: one along the first axis of every input and of the target.
struct Batch {
  std::vector<at::Tensor> inputs{};
  at::Tensor target{};  ///< Undefined where no loss is wanted.
};

/// The mean loss over the samples of a batch: a tensor of one element.
using Loss = std::function<at::Tensor(const std::vector<at::Tensor>& outputs, const at::Tensor& target)>;

/// Of the first output: logits [N, classes, ...], or [N, ..., classes] if only that fits (an Error if both do), against
/// whole numbers [N, ...], or the former against probabilities; `label_smoothing` in [0, 1) all classes get alike.
Loss cross_entropy(double label_smoothing = 0);
/// Of the first output: the mean squared difference.
Loss mse();
/// Of the first output: the mean binary cross-entropy of logits against probabilities or 0 and 1, of the same shape.
Loss binary_cross_entropy();

namespace calibration {

template <class T>
concept IsExample = requires(const T& example) {
  { example.data } -> std::convertible_to<at::Tensor>;
  { example.target } -> std::convertible_to<at::Tensor>;
};

inline Batch to_batch(Batch batch) {
  return batch;
}
inline Batch to_batch(at::Tensor input) {
  return {{std::move(input)}, {}};
}
inline Batch to_batch(std::vector<at::Tensor> inputs) {
  return {std::move(inputs), {}};
}
template <class Input, class Target>
Batch to_batch(const std::pair<Input, Target>& pair) {
  if constexpr (std::convertible_to<Input, at::Tensor>)
    return {{at::Tensor(pair.first)}, at::Tensor(pair.second)};
  else
    return {std::vector<at::Tensor>(pair.first), at::Tensor(pair.second)};
}
template <IsExample Example>
Batch to_batch(const Example& example) {
  return {{example.data}, example.target};
}
// What a DataLoader gives for a data set that was not mapped by torch::data::transforms::Stack.
template <IsExample Example>
Batch to_batch(const std::vector<Example>& examples) {
  std::vector<at::Tensor> data, target;
  for (const Example& example : examples) {
    data.push_back(example.data);
    target.push_back(example.target);
  }
  if (data.empty()) return {};
  return {{at::stack(data)}, at::stack(target)};
}

// A DataLoader with threads must be read to its end before it can be read again.
template <class Range>
bool must_finish(Range& range) {
  if constexpr (requires { range.options().workers; })
    return range.options().workers > 0;
  else
    return false;
}

}  // namespace calibration

/// Batches in an order that may differ from epoch to epoch, and that can begin anywhere in it: coppice::data::Loader.
template <class Source>
concept EpochSource = requires(const Source& source, std::int64_t number, const std::function<bool(Batch)>& callback) {
  source.for_each(number, number, callback);
  { source.batches() } -> std::convertible_to<std::int64_t>;
};

/// Batches that can be gone through any number of times. Made from an EpochSource or from anything iterable whose
/// elements are a Batch, a pair of input (or inputs) and target, a torch::data::Example, a vector of them, or inputs
/// alone: vectors, or `*loader` of a torch::data DataLoader. What is passed as an lvalue must outlive this; temporaries
/// are kept.
class BatchSource {
 public:
  BatchSource() = default;
  template <class Range>
  requires(!std::same_as<std::remove_cvref_t<Range>, BatchSource>) BatchSource(Range&& range) {
    using Plain = std::remove_reference_t<Range>;
    if constexpr (std::is_lvalue_reference_v<Range>) {
      hold(std::shared_ptr<Plain>(std::shared_ptr<void>(), &range));
    } else {
      hold(std::make_shared<Plain>(std::forward<Range>(range)));
    }
  }

  explicit operator bool() const { return static_cast<bool>(visit_); }
  /// Calls back with every batch of an epoch in order, from the one with the number `first` on, until the callback
  /// returns false. What is no EpochSource has the same epoch again and again, unless it draws from libtorch's
  /// generator.
  void for_each(const std::function<bool(Batch)>& callback, std::int64_t epoch = 0, std::int64_t first = 0) const {
    if (visit_) visit_(epoch, first, callback);
  }
  /// Batches in an epoch, where that is known without going through them.
  std::optional<std::int64_t> batches() const { return count_ ? std::optional(count_()) : std::nullopt; }

 private:
  using Visitor =
      std::function<void(std::int64_t epoch, std::int64_t first, const std::function<bool(Batch)>& callback)>;

  template <class Range>
  void hold(std::shared_ptr<Range> range) {
    if constexpr (EpochSource<Range>) {
      visit_ = [range](std::int64_t epoch, std::int64_t first, const std::function<bool(Batch)>& callback) {
        range->for_each(epoch, first, callback);
      };
      count_ = [range] { return static_cast<std::int64_t>(range->batches()); };
    } else {
      visit_ = [range](std::int64_t, std::int64_t first, const std::function<bool(Batch)>& callback) {
        bool wanted = true;
        for (auto&& element : *range) {
          if (first > 0) {
            --first;
            continue;
          }
          wanted = wanted && callback(calibration::to_batch(element));
          if (!wanted && !calibration::must_finish(*range)) break;
        }
      };
      if constexpr (requires { range->size(); }) count_ = [range] { return static_cast<std::int64_t>(range->size()); };
    }
  }

  std::function<std::int64_t()> count_;
  Visitor visit_;
};

/// What a criterion that looks at data is measured on.
struct Calibration {
  BatchSource data{};
  Loss loss{};             ///< Needed for gradients only.
  int batches = 0;         ///< How many of the first batches are used; 0: all.
  std::uint64_t seed = 0;  ///< Of libtorch's generators meanwhile, such as a random sampler's.

  /// Out of line: GCC 12 takes an inlined one, where it cleans up after a throwing initializer, for reading what was
  /// not initialised, and warns at every call with `.calibration = {...}`.
  ~Calibration();
};

}  // namespace coppice
