#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "coppice/graph/infer.hpp"

namespace coppice::graph {

/// What is known of the values of a graph in several worlds.
class Witnesses {
 public:
  /// The worlds of a model in which a condition must not change its mind. A static model has one.
  Witnesses(const Model& model, const Worlds& worlds);

  /// Runs inference of one node of the model's graph, or of one that is about to become one, in every world.
  void learn(const Node& node);
  void learn_constant(ValueId value, const Tensor& tensor);
  /// The single whole number or boolean that a value always holds.
  std::optional<std::int64_t> number(ValueId value) const;
  /// What holds in all worlds: extents that differ are -1, content that differs is not known.
  Fact common(ValueId value) const;

 private:
  const Model& model_;
  std::size_t must_know_ = 1;  ///< The first worlds must know a number; the others may only contradict.
  std::vector<Facts> facts_;
};

/// What a control-flow node runs in every run: `body`, `times` times.
struct Course {
  GraphPtr body;
  std::int64_t times = 1;
};

/// Nothing when the course depends on data, never ends, or the node is not a well-formed If or Loop.
std::optional<Course> course_of(const Graph& graph, const Node& node, const Witnesses& witnesses);

bool is_control_flow(const Node& node);

}  // namespace coppice::graph
