#include "pruning/refused.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "coppice/base/at.hpp"

namespace coppice::pruning {

std::string lock_refused(Prepared& prepared, const StructureError& error, int round) {
  constexpr int by_unit = 3;
  std::vector<std::int32_t> units = error.units;
  if (round >= by_unit) {
    std::set<std::int32_t> groups;
    for (const std::int32_t unit : error.units) groups.insert(prepared.couplings.units()[at(unit)].group);
    for (const std::int32_t group : groups) {
      if (group < 0) continue;
      const auto& all = prepared.couplings.groups()[at(group)].units;
      units.insert(units.end(), all.begin(), all.end());
    }
    std::sort(units.begin(), units.end());
    units.erase(std::unique(units.begin(), units.end()), units.end());
  }
  prepared.couplings.lock(units, coupling::Reason::structure, error.node);
  return std::to_string(units.size()) + " units stay: " + error.what();
}

}  // namespace coppice::pruning
