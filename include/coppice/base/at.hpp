#pragma once
#include <cstddef>
#include <cstdint>

namespace coppice {

/// The place in a vector that an id (of a value, a node, a unit...) stands for. Ids are never negative here.
constexpr std::size_t at(std::int32_t id) {
  return static_cast<std::size_t>(id);
}

}  // namespace coppice
