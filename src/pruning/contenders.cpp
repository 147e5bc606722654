#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "coppice/base/at.hpp"
#include "coppice/importance/members.hpp"

#include "pruning/contest.hpp"

namespace coppice::pruning {
namespace {

using coupling::Group;
using coupling::Site;
using importance::Reader;
using importance::Readers;

bool recurrent(const graph::Node& node) {
  return node.op == "LSTM" || node.op == "GRU" || node.op == "RNN";
}

// Indices that each unit of a group owns on the outputs of layers, as far as all own the same multiple: a head of 64
// channels has its width, and a grouped convolution loses one channel a group at a time.
class Widths {
 public:
  Widths(const Prepared& prepared, const Readers& readers) : prepared_(prepared), readers_(readers) {}

  std::int64_t of(const Group& group) const {
    std::int64_t common = 0;
    for (const Site& site : group.sites)
      for (const Reader& reader : readers_.of(site)) {
        const graph::Node& node = prepared_.model.graph.nodes[at(reader.node)];
        // A recurrent weight lists every hidden unit once a gate, but once in the columns of its recurrence.
        if (recurrent(node) ? reader.operand != 2 || reader.axis != 2 : !reader.output) continue;
        std::int64_t owned = common_count(site, group);
        if (node.op == "ConvTranspose") owned *= node.int_or("group", 1);
        common = std::gcd(common, owned);
      }
    return common == 0 ? 1 : common;
  }

 private:
  std::int64_t common_count(const Site& site, const Group& group) const {
    const coupling::Axis& axis = prepared_.couplings.axes(site.constant)[at(site.axis)];
    std::map<std::int32_t, std::int64_t> owned;
    for (const coupling::Factor& factor : prepared_.couplings.factors(axis)) {
      if (factor.track == coupling::no_track) continue;
      for (std::int32_t unit : prepared_.couplings.track(factor.track)) owned[unit] += axis.length / factor.length;
    }
    std::int64_t common = 0;
    for (std::int32_t unit : group.units) common = std::gcd(common, owned[unit]);
    return common;
  }

  const Prepared& prepared_;
  const Readers& readers_;
};

// What the members of a group look like from outside: operator, operand, side and axis of every reader, in the order
// of the nodes. Source: Fang et al., Isomorphic Pruning for Vision Models, 2024.
std::string surroundings(const Prepared& prepared, const Readers& readers, const Group& group) {
  std::vector<Reader> all;
  for (const Site& site : importance::members(group, prepared.roles, readers, importance::Criterion::large_final)) {
    const auto some = readers.of(site);
    all.insert(all.end(), some.begin(), some.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const Reader& a, const Reader& b) { return a.node < b.node; });
  std::string out;
  for (const Reader& reader : all) {
    const graph::Node& node = prepared.model.graph.nodes[at(reader.node)];
    out += node.domain + ":" + node.op + ":" + std::to_string(reader.operand) + (reader.output ? "out" : "in") +
           std::to_string(reader.axis) + ";";
  }
  return out;
}

}  // namespace

std::vector<Contender> contenders(const Prepared& prepared, const SelectOptions& options,
                                  std::span<const std::optional<double>> ratios) {
  std::optional<Readers> readers;
  if (options.round_to > 1 || options.context == Context::isomorphic)
    readers.emplace(prepared.model.graph, prepared.couplings);
  std::map<std::string, std::int32_t> sets;
  std::vector<Contender> out;
  const auto groups = prepared.couplings.groups();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    if (group.units.size() < 2) continue;
    Contender contender{.group = static_cast<std::int32_t>(g), .units = group.units, .locked = group.locked};
    contender.least = std::max<std::int64_t>(1, options.min_units);
    contender.ratio = ratios[g];
    if (options.round_to > 1)
      contender.multiple = options.round_to / std::gcd(options.round_to, Widths(prepared, *readers).of(group));
    if (options.context != Context::local && !contender.ratio) {
      const bool alike = options.context == Context::isomorphic;
      const auto key = alike ? surroundings(prepared, *readers, group) : std::string();
      contender.set = sets.try_emplace(key, static_cast<std::int32_t>(sets.size())).first->second;
    }
    out.push_back(std::move(contender));
  }
  return out;
}

}  // namespace coppice::pruning
