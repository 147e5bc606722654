#pragma once
#include <ostream>
#include <span>
#include <string_view>

#include "support/random_graph.hpp"

namespace coppice::test {

/// A structure that pruning is known to get wrong, by name.
struct SpecialGraph {
  std::string_view name;
  void (*build)(Maker&);
  std::int64_t opset = 17;
  bool quantised = false;
  /// Keeps the list of tests free of addresses.
  friend void PrintTo(const SpecialGraph& special, std::ostream* out) { *out << special.name; }
};

std::span<const SpecialGraph> special_images();        ///< Shuffles, gates, norms, layouts of images.
std::span<const SpecialGraph> special_sequences();     ///< Attention, recurrence, embeddings.
std::span<const SpecialGraph> special_attention();     ///< Attention as one operator.
std::span<const SpecialGraph> special_control_flow();  ///< If and Loop that are static.
std::span<const SpecialGraph> special_quantised();
/// All of them.
std::vector<SpecialGraph> special_graphs();

/// With live weights from the seed.
RandomGraph build(const SpecialGraph& special, std::uint64_t seed = 1);

}  // namespace coppice::test
