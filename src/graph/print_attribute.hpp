#pragma once
#include <string>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// "[N,3,?]" of a declaration; "" when the rank is unknown.
std::string show_dims(const std::optional<std::vector<Dim>>& shape);
/// "float32[64,3]".
std::string show_type(const Tensor& tensor);
/// A name as it is, or quoted when it holds anything that text would take for its own.
std::string show_name(std::string_view name);
/// A string in double quotes, control characters escaped.
std::string quoted(std::string_view text);
/// "name=value" on one line.
std::string show_attribute(const Attribute& attribute);

}  // namespace coppice::graph
