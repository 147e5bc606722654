#include "coppice/importance/members.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"

namespace coppice::importance {
namespace {

using coupling::Site;
using graph::Role;

bool keeps_axes(const graph::Node& node) {
  return node.op == "Identity" || node.op == "Cast" || node.op == "DequantizeLinear" || node.op == "QuantizeLinear";
}

// Where axis `axis` of the operand stands in the result; -1: nowhere that can be told.
int carried(const graph::Node& node, std::size_t operand, int axis, std::size_t rank) {
  if (operand != 0) return -1;
  if (keeps_axes(node)) return axis;
  if (!node.is("Transpose")) return -1;
  const auto perm = node.ints("perm");
  if (perm.empty()) return static_cast<int>(rank) - 1 - axis;
  for (std::size_t k = 0; k < perm.size(); ++k)
    if (perm[k] == axis) return static_cast<int>(k);
  return -1;
}

template <class Keep>
std::vector<Site> filtered(const std::vector<Site>& sites, Keep keep) {
  std::vector<Site> out;
  std::copy_if(sites.begin(), sites.end(), std::back_inserter(out), keep);
  return out;
}

}  // namespace

Readers::Readers(const graph::Graph& graph, const coupling::Couplings& couplings)
    : graph_(graph), couplings_(couplings), consumers_(graph.consumers()) {}

std::vector<Reader> Readers::of(Site site) const {
  struct Place {
    graph::ValueId value;
    int axis;
  };
  std::vector<Reader> out;
  std::vector<Place> open{{site.constant, site.axis}};
  for (std::size_t next = 0; next < open.size(); ++next) {
    const Place place = open[next];
    const std::size_t rank = couplings_.axes(place.value).size();
    std::int32_t last = -1;
    for (std::int32_t n : consumers_[at(place.value)]) {
      if (n == last) continue;  // a node that reads twice is listed twice
      last = n;
      const graph::Node& node = graph_.nodes[at(n)];
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] != place.value) continue;
        const int axis = carried(node, i, place.axis, rank);
        const graph::ValueId result = node.output(0);
        if (axis >= 0 && result != graph::no_value && couplings_.constant(result)) {
          open.push_back({result, axis});
          continue;
        }
        out.push_back({.node = n,
                       .operand = static_cast<std::int16_t>(i),
                       .axis = static_cast<std::int16_t>(place.axis),
                       .output = graph::output_axis(node, i, rank) == place.axis});
      }
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Reader& a, const Reader& b) { return a.node < b.node; });
  return out;
}

std::vector<Site> members(const coupling::Group& group, std::span<const Role> roles, const Readers& readers,
                          Criterion criterion) {
  const auto role = [&](const Site& site) { return roles[at(site.constant)]; };
  const auto usual =
      filtered(group.sites, [&](const Site& s) { return role(s) == Role::weight || role(s) == Role::scale; });
  if (criterion == Criterion::bn_scale) return filtered(usual, [&](const Site& s) { return role(s) == Role::scale; });
  if (usual.empty()) return group.sites;
  if (criterion != Criterion::fpgm) return usual;
  const auto outputs = filtered(usual, [&](const Site& s) {
    const auto all = readers.of(s);
    return role(s) == Role::weight && std::any_of(all.begin(), all.end(), [](const Reader& r) { return r.output; });
  });
  return outputs.empty() ? usual : outputs;
}

}  // namespace coppice::importance
