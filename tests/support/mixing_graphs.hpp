#pragma once
#include <ostream>
#include <span>
#include <string_view>
#include <vector>

#include "coppice/coupling/couplings.hpp"

#include "support/random_graph.hpp"

namespace coppice::test {

/// A node through which removed units reach others although they were set to zero.
struct Leak {
  std::string_view op;
  coupling::Mixing how;
};

/// Whether the sums and products behind the leaks come out different, which no rule looks at.
enum class Felt { yes, no };

/// A small graph around one way of mixing the indices of an axis that can be cut, with what zeroing is worth there,
/// found by hand from the operators' definitions.
struct MixingGraph {
  std::string_view name;
  coupling::Mixing kind;
  void (*build)(Maker&);
  std::vector<Leak> leaks = {};  ///< In the order of the nodes; none: zeroing the removed slices is exact.
  Felt felt = Felt::yes;
  std::int64_t opset = 17;
  bool quantised = false;
  coupling::Options options = {};
  /// Keeps the list of tests free of addresses.
  friend void PrintTo(const MixingGraph& graph, std::ostream* out) { *out << graph.name; }
};

std::vector<MixingGraph> mixing_sums();          ///< After functions that keep zero and functions that don't.
std::vector<MixingGraph> mixing_extremes();      ///< Mean, largest, smallest, product, exponential sum.
std::vector<MixingGraph> mixing_contractions();  ///< Products of two activations, or of one and a weight.
std::vector<MixingGraph> mixing_statistics();
std::vector<MixingGraph> mixing_states();  ///< Initial states, and the range that quantisation takes from its data.
/// All of them.
std::vector<MixingGraph> mixing_graphs();

/// With live weights from the seed.
RandomGraph build(const MixingGraph& graph, std::uint64_t seed = 1);

}  // namespace coppice::test
