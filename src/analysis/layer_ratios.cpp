#include "coppice/analysis/layer_ratios.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "pruning/contest.hpp"
#include "pruning/layers.hpp"
#include "pruning/numbers.hpp"

namespace coppice::analysis {
namespace {

using pruning::shown;
using pruning::shown_share;

void check(const LayerRatioOptions& options) {
  if (!(options.least >= 0 && options.least <= options.most && options.most < 1))
    throw Error("layer ratios: expected 0 <= least <= most < 1, found " + shown(options.least) + " and " +
                shown(options.most));
  if (!(options.gamma > 0)) throw Error("layer ratios: expected a gamma above 0, found " + shown(options.gamma));
}

// The model's cost as a share, for ratios by layer name. Which units go matters to no count, so no score is needed.
class Counter {
 public:
  Counter(const Sensitivity& sensitivity, const pruning::Prepared& prepared, const pruning::SelectOptions& select)
      : prepared_(prepared), select_(select), whole_(count(prepared)) {
    select_.context = pruning::Context::local;
    const pruning::Layers layers(prepared);
    for (const SensitivityRow& row : sensitivity.rows) {
      if (!row.measured()) continue;
      for (const std::string& name : row.layers)
        for (const pruning::Layers::Match& match : layers.find(name))
          for (const std::int32_t unit : match.layer->units)
            if (const auto& u = prepared.couplings.units()[at(unit)]; !u.locked) groups_[name].insert(u.group);
    }
  }

  bool known(const std::string& layer) const { return groups_.contains(layer); }

  pruning::Count left(const LayerRatios& ratios) const {
    std::vector<std::optional<double>> by_group(prepared_.couplings.groups().size());
    for (const auto& [name, ratio] : ratios)
      if (const auto it = groups_.find(name); it != groups_.end())
        for (const std::int32_t group : it->second) by_group[at(group)] = ratio;
    const std::size_t units = prepared_.couplings.units().size();
    const auto contenders = pruning::contenders(prepared_, select_, by_group);
    const std::vector<double> scores(units, 0);
    return count(
        prepared_,
        pruning::Contest(prepared_.couplings, contenders, scores, std::vector<std::uint8_t>(units)).choose(0, 1));
  }

  // At most 1 where both targets are met; the farthest share otherwise.
  double excess(const LayerRatios& ratios) const {
    const pruning::Count now = left(ratios);
    double out = 0;
    if (select_.target_macs) out = now.macs / (whole_.macs * *select_.target_macs);
    if (select_.target_parameters)
      out = std::max(out, static_cast<double>(now.parameters) /
                              (static_cast<double>(whole_.parameters) * *select_.target_parameters));
    return out;
  }

  std::string share_left(const LayerRatios& ratios) const {
    const pruning::Count now = left(ratios);
    return shown_share(now.macs / whole_.macs) + " of the MACs and " +
           shown_share(static_cast<double>(now.parameters) / static_cast<double>(whole_.parameters)) +
           " of the parameters";
  }

 private:
  const pruning::Prepared& prepared_;
  pruning::SelectOptions select_;
  pruning::Count whole_;
  std::map<std::string, std::set<std::int32_t>> groups_;
};

// The smallest shift at which `meets`; nothing when even the largest does not.
template <class Meets>
std::optional<double> smallest_shift(const LayerRatioOptions& options, Meets meets) {
  double low = options.least - options.most, high = options.most - options.least;
  if (meets(low)) return low;
  if (!meets(high)) return std::nullopt;
  // Ratios at which a group loses one unit more lie further apart than this.
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2;
    (meets(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

LayerRatios layer_ratios(const Sensitivity& sensitivity, double shift, const LayerRatioOptions& options) {
  check(options);
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const SensitivityRow& row : sensitivity.rows) {
    if (!row.measured()) continue;
    least = std::min(least, sensitivity.drop(row));
    most = std::max(most, sensitivity.drop(row));
  }
  if (!(least <= most)) throw Error("layer ratios: expected groups whose sensitivity was measured, found none");
  LayerRatios out;
  for (const SensitivityRow& row : sensitivity.rows) {
    if (!row.measured()) continue;
    const double norm = most > least ? (sensitivity.drop(row) - least) / (most - least) : 0;
    const double ratio = options.least + (options.most - options.least) * std::pow(1 - norm, options.gamma) + shift;
    for (const std::string& layer : row.layers) out[layer] = std::clamp(ratio, options.least, options.most);
  }
  return out;
}

LayerRatios layer_ratios(const Sensitivity& sensitivity, const std::function<double(const LayerRatios&)>& left,
                         double keep, const LayerRatioOptions& options) {
  const auto shift =
      smallest_shift(options, [&](double s) { return left(layer_ratios(sensitivity, s, options)) <= keep; });
  if (shift) return layer_ratios(sensitivity, *shift, options);
  throw Error("layer ratios: expected a way to keep " + shown_share(keep) + ", found that with " +
              shown_share(options.most) + " of every layer gone " +
              shown_share(left(layer_ratios(sensitivity, options.most - options.least, options))) + " is left");
}

LayerRatios layer_ratios(const Sensitivity& sensitivity, const pruning::Prepared& prepared,
                         const pruning::SelectOptions& select, const LayerRatioOptions& options) {
  if (!select.target_macs && !select.target_parameters)
    throw Error("layer ratios: expected a share of the MACs or of the parameters to keep, found none");
  const Counter counter(sensitivity, prepared, select);
  const auto shift =
      smallest_shift(options, [&](double s) { return counter.excess(layer_ratios(sensitivity, s, options)) <= 1; });
  if (!shift)
    throw Error("target: cannot be reached: with " + shown_share(options.most) + " of every layer gone " +
                counter.share_left(layer_ratios(sensitivity, options.most - options.least, options)) + " are left");
  LayerRatios out = layer_ratios(sensitivity, *shift, options);
  std::erase_if(out, [&](const auto& entry) { return !counter.known(entry.first); });
  return out;
}

}  // namespace coppice::analysis
