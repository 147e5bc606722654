#include <limits>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// libtorch lists begin and end of the last axis first.
struct Pads {
  Ints begins, ends;
};

Pads pads_of(Site& site) {
  const auto rank = static_cast<std::size_t>(site.rank(0));
  const Ints list = site.ints(1);
  Pads out{Ints(rank, 0), Ints(rank, 0)};
  for (std::size_t k = 0; 2 * k + 1 < list.size(); ++k) {
    out.begins[rank - 1 - k] = list[2 * k];
    out.ends[rank - 1 - k] = list[2 * k + 1];
  }
  return out;
}

bool padded(Site& site, std::string mode, double value) {
  const Pads pads = pads_of(site);
  Ints all = pads.begins;
  all.insert(all.end(), pads.ends.begin(), pads.ends.end());
  if (all == Ints(all.size(), 0)) return same(site);
  std::vector<ValueId> inputs{site.in(0), site.constant(std::move(all), "pads")};
  if (mode == "constant") inputs.push_back(site.scalar(value, site.dtype(0), "value"));
  site.out(site.op("Pad", std::move(inputs), {attr("mode", std::move(mode))}));
  return true;
}

ValueId part_of(Site& site, ValueId x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::string_view part) {
  return site.op("Slice",
                 {x, site.constant({begin}, "begin"), site.constant({end}, "end"), site.constant({axis}, "axis")}, {},
                 part);
}

// Each end goes on with the other end. Opset 17 has no mode for it.
bool circular(Site& site) {
  const Pads pads = pads_of(site);
  ValueId x = site.in(0);
  for (std::size_t k = 0; k < pads.begins.size(); ++k) {
    const std::int64_t begin = pads.begins[k], end = pads.ends[k], axis = static_cast<std::int64_t>(k);
    if (begin < 0 || end < 0) return false;
    std::vector<ValueId> parts;
    if (begin > 0) parts.push_back(part_of(site, x, axis, -begin, std::numeric_limits<std::int64_t>::max(), "last"));
    parts.push_back(x);
    if (end > 0) parts.push_back(part_of(site, x, axis, 0, end, "first"));
    if (parts.size() > 1) x = site.op("Concat", std::move(parts), {attr("axis", axis)});
  }
  site.out(x);
  return true;
}

bool constant_pad(Site& site) {
  return padded(site, "constant", site.real(2, 0));
}

bool reflection_pad(Site& site) {
  return padded(site, "reflect", 0);
}

bool replication_pad(Site& site) {
  return padded(site, "edge", 0);
}

// (x, pads, mode, value); the mode as text, or as a number.
bool pad(Site& site) {
  constexpr std::string_view modes[] = {"reflect", "replicate", "circular", "constant"};
  const std::string mode = site.is_text(2) ? site.text(2) : std::string(modes[site.integer(2) & 3]);
  if (mode == "circular") return circular(site);
  if (mode == "constant") return padded(site, "constant", site.real(3, 0));
  return mode == "reflect" ? reflection_pad(site) : mode == "replicate" && replication_pad(site);
}

}  // namespace

void add_pad_rules(std::vector<RuleEntry>& rules) {
  for (const std::string_view op : {"pad", "_pad_enum"}) rules.push_back({op, pad});
  for (const std::string_view op : {"reflection_pad1d", "reflection_pad2d", "reflection_pad3d"})
    rules.push_back({op, reflection_pad});
  for (const std::string_view op : {"replication_pad1d", "replication_pad2d", "replication_pad3d"})
    rules.push_back({op, replication_pad});
  rules.push_back({"constant_pad_nd", constant_pad});
  rules.push_back({"_pad_circular", circular});
}

}  // namespace coppice::tracing
