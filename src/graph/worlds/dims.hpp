#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coppice/graph/model.hpp"

/// The dynamic dimensions of a model's inputs and what they probably mean.
namespace coppice::graph::worlds {

enum class Role { batch, height, width, depth, sequence, past, total, other };

/// One dynamic dimension: a name, wherever it stands, or one unnamed axis.
struct DynamicDim {
  std::string name;  ///< Empty when unnamed.
  Role role = Role::other;
  std::size_t ordinal = 0;                                  ///< Among the dimensions of its role.
  std::vector<std::pair<std::size_t, std::size_t>> places;  ///< (index into Inputs::values, axis)
};

struct Inputs {
  std::vector<ValueId> values;  ///< Ranked inputs that are not initializers.
  std::vector<DynamicDim> dims;
};

Inputs collect_inputs(const Graph& graph);

/// The value of a name that is an expression over other names and numbers, such as "past_length + sequence_length" or
/// "2*n": terms joined by + or -, factors joined by *. Nothing when it is not one, or when a name is not in `known`.
std::optional<std::int64_t> evaluate(const std::string& expression,
                                     const std::vector<std::pair<std::string, std::int64_t>>& known);

}  // namespace coppice::graph::worlds
