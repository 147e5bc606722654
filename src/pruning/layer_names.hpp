#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace coppice::pruning {

/// A module path out of a node's name: PyTorch's exporter writes "/layer1/layer1.0/conv1/Conv", where a container is
/// repeated in the name of its child; this gives "layer1.0.conv1.Conv". Other names have their slashes turned to dots.
std::string module_path(std::string_view node_name);

/// Whether `pattern` matches `name` up to its end or to a '.', '/' or ':'; in a pattern '*' stands for any characters
/// and '?' for one. Gives the number of characters that the pattern spells out.
std::optional<std::size_t> match_prefix(std::string_view pattern, std::string_view name);

}  // namespace coppice::pruning
