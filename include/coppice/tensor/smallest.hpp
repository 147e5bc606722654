#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coppice/tensor/mask.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// A tensor whose elements compete by their absolute values; `name` stands for it in errors.
struct Weights {
  std::string name;
  Tensor tensor;  ///< fp64, fp32, fp16 or bf16; may be unaligned, mapped or streamed.
};

/// A list of scores that need not exist as a whole: read(first, out) fills `out` with scores first, first + 1, ... It
/// is called by several threads, more than once for the same scores, and gives the same each time.
struct Scores {
  std::string name;
  std::int64_t size = 0;
  std::function<void(std::int64_t first, std::span<double> out)> read;
};

/// Exactly the `count` smallest of all elements of many lists together, chosen without joining or sorting the lists.
/// Of equal ones the first in (list, index) order go first; -0 equals +0 and infinities are ordinary. The same for any
/// number of threads and any vector width.
///
/// How: a fixed sample brackets the wanted value; one pass over the memory counts what lies below the bracket and
/// collects the few elements within, among which the value is found the same way. A bracket that misses is widened, and
/// after that the range of values is halved pass by pass, so the sample decides the time only. Memory traffic: choosing
/// reads each weight once; zero() reads and writes it once more, the same as reading and then rewriting. Extra memory:
/// a few percent of the weights.
class Smallest {
 public:
  /// By absolute value. Lists of different types compare by their exact values (and take about twice the time).
  /// Throws Error on another type, a count outside [0, all elements], and on NaN, naming list and index.
  static Smallest of(std::vector<Weights> lists, std::int64_t count);
  /// By score, negative ones included.
  static Smallest of(std::vector<Scores> lists, std::int64_t count);

  /// How many of the chosen lie in this list.
  std::int64_t chosen(std::size_t list) const;
  /// The largest chosen absolute value or score; 0 when none is chosen.
  double largest() const;
  /// What was not chosen stays.
  Mask mask(std::size_t list) const;
  /// apply_mask() with that mask, without building it where lists are of one type. Lists of weights only: throws Error
  /// on scores. `out` as there.
  void zero(std::size_t list, std::span<std::byte> out) const;
  /// The same for all lists at once, whose work shares the threads: one room a list.
  void zero(std::span<const std::span<std::byte>> out) const;
  Tensor zeroed(std::size_t list) const;

 private:
  struct State;
  explicit Smallest(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace coppice::tensor
