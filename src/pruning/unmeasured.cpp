#include "pruning/unmeasured.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"

namespace coppice::pruning {
namespace {

constexpr std::size_t most_warnings = 5, most_sites = 4;

std::string sites(const Prepared& prepared, const coupling::Group& group) {
  std::string out;
  for (std::size_t i = 0; i < std::min(group.sites.size(), most_sites); ++i) {
    const coupling::Site& site = group.sites[i];
    out += (i == 0 ? "" : ", ") + std::string(prepared.model.graph.name_of(site.constant)) + "[" +
           std::to_string(site.axis) + "]";
  }
  if (group.sites.size() > most_sites) out += " and " + std::to_string(group.sites.size() - most_sites) + " more";
  return out;
}

}  // namespace

std::vector<std::string> lock_unmeasured(Prepared& prepared, std::span<const std::int32_t> groups,
                                         std::span<const std::uint8_t> removed, std::string_view criterion) {
  std::vector<std::string> out;
  for (const std::int32_t g : groups) {
    const coupling::Group& group = prepared.couplings.groups()[at(g)];
    std::vector<std::int32_t> units;
    for (const std::int32_t unit : group.units)
      if (removed[at(unit)] == 0) units.push_back(unit);
    if (out.size() < most_warnings)
      out.push_back("group " + sites(prepared, group) + " stays whole with its " + std::to_string(units.size()) +
                    " units: " + std::string(criterion) + " measures none of these");
    prepared.couplings.lock(units, coupling::Reason::unmeasured, -1);
  }
  if (groups.size() > most_warnings) {
    const std::size_t more = groups.size() - most_warnings;
    out.push_back(std::to_string(more) + (more == 1 ? " more group stays" : " more groups stay") +
                  " whole for the same reason");
  }
  return out;
}

}  // namespace coppice::pruning
