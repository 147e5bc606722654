#pragma once
#include <cstdint>

#include "coppice/graph/model.hpp"

namespace coppice::tracing {

/// Two traces of one module, with batches of different size along one axis of the first input.
struct TwoBatches {
  const graph::Model& first;
  const graph::Model& second;
  std::int64_t axis = 0;
  std::int64_t first_size = 0, second_size = 0;
};

/// One model for batches of any size. Throws Error naming the node where the two differ by more than extents that are
/// multiples of the batch.
graph::Model any_batch(const TwoBatches& traces);

}  // namespace coppice::tracing
