#include "coppice/train/sensitivity.hpp"

#include <algorithm>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/ratio.hpp"

#include "analysis/ratio_rows.hpp"
#include "pruning/check.hpp"
#include "pruning/contest.hpp"
#include "pruning/numbers.hpp"
#include "pruning/refused.hpp"
#include "pruning/unmeasured.hpp"
#include "torch/inplace/job.hpp"
#include "torch/inplace/options.hpp"
#include "train/batches.hpp"
#include "train/device.hpp"

namespace coppice {
namespace {

using analysis::RatioRow;
using analysis::SensitivityPoint;
using analysis::SensitivityRow;

std::vector<double> checked(std::vector<double> ratios) {
  if (ratios.empty()) throw Error("sensitivity: expected ratios, found none");
  for (double& ratio : ratios) {
    const double given = ratio;
    ratio = pruning::share_of(ratio);
    if (!(ratio > 0 && ratio < 1))
      throw Error("sensitivity: expected ratios above 0 and below 1, found " + pruning::shown(given));
  }
  std::sort(ratios.begin(), ratios.end());
  ratios.erase(std::unique(ratios.begin(), ratios.end()), ratios.end());
  return ratios;
}

// What only says which units go, and what may.
PrunerOptions choosing(const Callable& model, const BatchSource& data, PrunerOptions options) {
  options.pruning_ratio = {};
  options.layer_ratios.clear();
  options.context = Context::local;
  options.iterative_steps = 1;
  options.target_macs.reset();
  options.target_parameters.reset();
  options.plan.reset();
  options.optimizer = nullptr;
  if (options.criterion.options().needs_data() && !options.calibration.data) options.calibration.data = data;
  if (options.example_inputs.empty())
    options.example_inputs = first_sample(data, device_of(model.module()), "sensitivity");
  return options;
}

class Measurement {
 public:
  Measurement(const Callable& model, const BatchSource& data, const SensitivityOptions& options)
      : data_(data), metric_(options.metric), job_(model, choosing(model, data, options.pruning)) {
    job_.begin();
    select_ = inplace::select_options(job_.options);
    importance::ScoreOptions scoring{
        select_.criterion, {}, select_.reduction, importance::Normalizer::none, select_.seed};
    if (!job_.options.criterion.weights_only()) scoring.measure = job_.measure(job_.removed);
    pruning::Prepared& prepared = job_.prepared;
    importance::UnitScores scores =
        importance::unit_scores(prepared.model.graph, prepared.couplings, prepared.roles, scoring);
    scores_ = std::move(scores.units);
    pruning::lock_unmeasured(prepared, scores.unmeasured, job_.removed, job_.options.criterion.name());
  }

  Evaluation whole() const { return evaluate(job_.model, data_, {}, {metric_}); }
  std::vector<RatioRow> rows() const { return analysis::ratio_rows(job_.prepared); }

  SensitivityRow measured(const RatioRow& row, const std::vector<double>& ratios, base::Progress* progress,
                          std::uint64_t done) {
    SensitivityRow out{.layers = row.layers, .units = row.units, .points = {}, .reason = row.reason};
    if (!row.reason.empty()) return out;
    std::vector<std::uint8_t> last;
    for (const double ratio : ratios) {
      SensitivityPoint point{.ratio = ratio};
      try {
        measure(row, point, last, out.points);
      } catch (const CutFailed& failure) {
        out.reason = failure.reason;
      }
      out.points.push_back(std::move(point));
      if (progress) progress->advance(++done);
    }
    if (!out.measured() && out.reason.empty()) out.reason = "no ratio takes a unit";
    return out;
  }

 private:
  struct CutFailed {
    std::string reason;
  };

  // The units of one row that a ratio takes.
  std::vector<std::uint8_t> choose(const RatioRow& row, double ratio) const {
    std::vector<std::optional<double>> by_group(job_.prepared.couplings.groups().size());
    for (const std::int32_t group : row.groups) by_group[at(group)] = ratio;
    const auto contenders = pruning::contenders(job_.prepared, select_, by_group);
    return pruning::Contest(job_.prepared.couplings, contenders, scores_, job_.removed).choose(0, 1);
  }

  // The same, and the graph of what is left. What the cut finds it cannot do without is locked.
  std::vector<std::uint8_t> choose(const RatioRow& row, double ratio, graph::Model& cut) {
    std::string refusal;
    for (int round = 0;; ++round) {
      std::vector<std::uint8_t> goes = choose(row, ratio);
      if (goes == job_.removed && !refusal.empty()) throw CutFailed{refusal};
      if (goes == job_.removed) return goes;
      try {
        cut = pruning::cut(job_.prepared, goes, pruning::Gathering::later);
        check_cut(job_.prepared, goes, cut);
        return goes;
      } catch (const pruning::StructureError& error) {
        if (error.units.empty() || round + 1 == pruning::most_refusals) throw CutFailed{error.what()};
        refusal = error.what();
        lock_refused(job_.prepared, error, round);
      } catch (const Error& error) {
        throw CutFailed{error.what()};
      }
    }
  }

  void measure(const RatioRow& row, SensitivityPoint& point, std::vector<std::uint8_t>& last,
               const std::vector<SensitivityPoint>& before) {
    const pruning::Count whole = count(job_.prepared);
    point.parameters = whole.parameters;
    point.macs = whole.macs;
    graph::Model cut;
    const std::vector<std::uint8_t> goes = choose(row, point.ratio, cut);
    if (goes == job_.removed) return;
    const pruning::Count left = count(job_.prepared, goes);
    point.removed = std::count(goes.begin(), goes.end(), 1);
    point.parameters = left.parameters;
    point.macs = left.macs;
    if (goes == last && !before.empty()) {
      point.value = before.back().value;
      return;
    }
    point.value = value_without(goes, cut);
    last = goes;
  }

  double value_without(const std::vector<std::uint8_t>& goes, const graph::Model& cut) {
    inplace::Exchange swaps = job_.exchange(goes);
    swaps.commit();
    bool fits = false;
    try {
      job_.target->follow(cut);
      job_.try_forward(cut);
      fits = true;
      const double out = whole().value(metric_.name);
      swaps.roll_back();
      job_.target->go_back();
      return out;
    } catch (const std::exception& error) {
      swaps.roll_back();
      job_.target->go_back();
      if (!fits) throw CutFailed{error.what()};
      throw;
    }
  }

  BatchSource data_;
  Metric metric_;
  inplace::Job job_;
  pruning::SelectOptions select_;
  std::vector<double> scores_;
};

}  // namespace

Sensitivity measure_sensitivity(const Callable& model, const BatchSource& data, const SensitivityOptions& options) {
  Sensitivity out{.metric = options.metric.name, .higher_is_better = options.metric.higher_is_better};
  out.ratios = checked(options.ratios);
  if (!data) throw Error("sensitivity: expected data, found none");
  Measurement measurement(model, data, options);
  const Evaluation whole = measurement.whole();
  out.baseline = whole.value(options.metric.name);
  out.samples = whole.samples;
  const std::vector<RatioRow> rows = measurement.rows();
  const std::uint64_t cuts = static_cast<std::uint64_t>(std::count_if(
                                 rows.begin(), rows.end(), [](const RatioRow& row) { return row.reason.empty(); })) *
                             out.ratios.size();
  if (options.progress) options.progress->begin("sensitivity", cuts);
  std::uint64_t done = 0;
  for (const RatioRow& row : rows) {
    out.rows.push_back(measurement.measured(row, out.ratios, options.progress, done));
    if (row.reason.empty()) done += out.ratios.size();
  }
  if (options.progress) options.progress->end();
  return out;
}

}  // namespace coppice
