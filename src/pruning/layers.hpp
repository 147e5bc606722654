#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// A node with weights as users name it, and the units on its output axis.
struct Layer {
  std::int32_t node = -1;
  bool weights = false;            ///< False: a norm or another node that only scales and shifts.
  std::vector<std::string> names;  ///< Of the node and of the constants that it reads; the best one to show first.
  std::vector<std::int32_t> units;
};

/// Finds layers by name.
class Layers {
 public:
  explicit Layers(const Prepared& prepared);

  struct Match {
    const Layer* layer;
    std::size_t length;  ///< Characters of the pattern that are spelt out.
  };
  /// Layers that `pattern` matches: those with weights, or without any of these the others. Throws Error with the
  /// nearest names when there are none.
  std::vector<Match> find(std::string_view pattern) const;
  /// Those that have units, in the order of the nodes.
  const std::vector<Layer>& all() const { return layers_; }

 private:
  std::vector<Layer> layers_;
  std::vector<std::string> bare_;  ///< Names of nodes that have no units of their own.
};

}  // namespace coppice::pruning
