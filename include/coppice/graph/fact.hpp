#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// Elements of a small tensor as far as they are known. Whole numbers and booleans are in `ints`, real numbers in
/// `reals` (one of the two is empty); row-major.
struct Content {
  std::vector<std::int64_t> ints;
  std::vector<double> reals;
  std::vector<std::uint8_t> unknown;  ///< Empty when every element is known, else 1 per unknown element.

  bool known(std::size_t i) const { return unknown.empty() || unknown[i] == 0; }
  bool all_known() const;
};

/// Content of tensors with more elements than this is not followed.
inline constexpr std::int64_t content_limit = 2048;

/// What is known of a value in one world (see World).
struct Fact {
  DType dtype = DType::undefined;
  bool ranked = false;
  Shape shape;  ///< Meaningful when ranked; -1 for an extent that is not known even in this world.
  std::shared_ptr<const Content> content;

  static Fact of(DType dtype, Shape shape) { return {dtype, true, std::move(shape), nullptr}; }
  /// Rank known and every extent known.
  bool complete() const;
  std::size_t rank() const { return shape.size(); }
  /// The elements as whole numbers when all of them are known and integer.
  std::optional<std::vector<std::int64_t>> int_values() const;
};

/// Whether the same is known of two values.
bool same(const Fact& a, const Fact& b);

/// One choice of a number for every dynamic dimension. Shape inference runs in a world, on plain numbers; what differs
/// between two worlds is dynamic. This replaces symbolic dimensions: shape arithmetic of any kind can be followed.
struct World {
  /// Extents per graph input, by value name; every input that is not an initializer has an entry.
  std::vector<std::pair<std::string, Shape>> inputs;
  /// Stands for every extent that depends on data (NonZero, NonMaxSuppression); 0: such extents stay unknown.
  std::int64_t data_extent = 0;
};

}  // namespace coppice::graph
