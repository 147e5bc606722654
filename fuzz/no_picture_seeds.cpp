#include "picture_seeds.hpp"

namespace coppice::fuzz {

std::vector<std::pair<std::string, std::string>> picture_seeds() {
  return {};
}

}  // namespace coppice::fuzz
