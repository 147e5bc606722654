#include "coppice/pruning/select.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"
#include "coppice/importance/scores.hpp"

#include "pruning/contest.hpp"
#include "pruning/layers.hpp"
#include "pruning/lock_summary.hpp"
#include "pruning/numbers.hpp"
#include "pruning/unmeasured.hpp"

namespace coppice::pruning {
namespace {

constexpr base::Names<Context, 3> contexts{
    {{Context::local, "local"}, {Context::global, "global"}, {Context::isomorphic, "isomorphic"}}};

void check_ratio(const std::string& what, double ratio) {
  if (!(ratio >= 0 && ratio < 1)) throw Error(what + ": expected 0 to below 1, found " + shown(ratio));
}

void check(const SelectOptions& options) {
  check_ratio("ratio", options.ratio);
  for (const auto& [name, ratio] : options.layers) check_ratio("ratio of layer \"" + name + "\"", ratio);
  const auto positive = [](const char* what, std::int64_t value) {
    if (value < 1) throw Error(std::string(what) + ": expected at least 1, found " + std::to_string(value));
  };
  positive("rounding", options.round_to);
  positive("least units", options.min_units);
  positive("steps", options.steps);
  for (const auto& target : {options.target_macs, options.target_parameters})
    if (target && !(*target > 0 && *target < 1))
      throw Error("target: expected a share to keep above 0 and below 1, found " + shown(*target));
}

// Ratios of groups by the names of their layers; of several matches the one with the most characters.
std::vector<std::optional<double>> named_ratios(const Prepared& prepared, const Layers& layers,
                                                const SelectOptions& options) {
  struct Best {
    std::size_t length = 0;
    const std::pair<std::string, double>* rule = nullptr;
  };
  std::vector<Best> best(prepared.couplings.groups().size());
  for (const auto& rule : options.layers) {
    bool any = false;
    coupling::Reason reason = coupling::Reason::fixed_axis;
    for (const Layers::Match& match : layers.find(rule.first))
      for (std::int32_t unit : match.layer->units) {
        const coupling::Unit& u = prepared.couplings.units()[at(unit)];
        if (u.locked) {
          reason = u.reason;
          continue;
        }
        any = true;
        Best& current = best[at(u.group)];
        if (current.rule && current.length == match.length && current.rule->second != rule.second)
          throw Error("layers \"" + current.rule->first + "\" and \"" + rule.first +
                      "\": expected one ratio, for their outputs go together, found " + shown(current.rule->second) +
                      " and " + shown(rule.second));
        if (!current.rule || match.length > current.length) current = {match.length, &rule};
      }
    if (!any)
      throw Error("layer \"" + rule.first + "\": none of its outputs can be cut: " + std::string(explain(reason)));
  }
  std::vector<std::optional<double>> out(best.size());
  for (std::size_t g = 0; g < best.size(); ++g)
    if (best[g].rule) out[g] = best[g].rule->second;
  return out;
}

void lock_ignored(Prepared& prepared, const Layers& layers, const SelectOptions& options) {
  for (const std::string& pattern : options.ignore)
    for (const Layers::Match& match : layers.find(pattern))
      prepared.couplings.lock(match.layer->units, coupling::Reason::ignored, match.layer->node);
}

importance::Normalizer normalizer(const SelectOptions& options) {
  if (options.normalizer) return *options.normalizer;
  // LAMP's scores are shares of their group already.
  const bool lamp = options.criterion == importance::Criterion::lamp && !options.measure;
  const bool comparable = options.context == Context::local || lamp;
  return comparable ? importance::Normalizer::none : importance::Normalizer::mean;
}

// The smallest ratio at which what is left meets the targets; 0 when that is so already.
double search(const Prepared& prepared, const Contest& contest, const SelectOptions& options) {
  const Count before = count(prepared);
  Count left;
  const auto meets = [&](double ratio) {
    left = count(prepared, contest.choose(ratio, 1));
    return (!options.target_macs || left.macs <= *options.target_macs * before.macs) &&
           (!options.target_parameters || static_cast<double>(left.parameters) <=
                                              *options.target_parameters * static_cast<double>(before.parameters));
  };
  if (meets(0)) return 0;
  if (!meets(1)) {
    std::string what;
    if (options.target_macs) what = shown_share(left.macs / before.macs) + " of the MACs";
    if (options.target_parameters) {
      if (!what.empty()) what += " and ";
      what += shown_share(static_cast<double>(left.parameters) / static_cast<double>(before.parameters)) +
              " of the parameters";
    }
    throw Error("target: cannot be reached: the smallest model keeps " + what);
  }
  double low = 0, high = 1;
  // Ratios at which a group loses one unit more lie further apart than this.
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2;
    (meets(middle) ? high : low) = middle;
  }
  return high;
}

void expect_removal(const Prepared& prepared, const Selection& selection, const SelectOptions& options) {
  if (std::find(selection.removed.begin(), selection.removed.end(), 1) != selection.removed.end()) return;
  std::int64_t widest = 0;
  for (const coupling::Group& group : prepared.couplings.groups())
    widest = std::max(widest, static_cast<std::int64_t>(group.units.size()));
  std::string what = "nothing to remove at ratio " + shown(selection.ratio);
  if (options.round_to > 1) what += ", widths rounded to " + std::to_string(options.round_to);
  if (options.min_units > 1) what += ", at least " + std::to_string(options.min_units) + " units a group";
  throw Error(what + ": the widest group has " + std::to_string(widest) + " units that may go");
}

}  // namespace

std::string_view to_string(Context context) {
  return base::find_name(contexts, context);
}

Context parse_context(std::string_view text) {
  return base::parse_name("context", contexts, text);
}

StepwiseSelection::StepwiseSelection(Prepared& prepared, SelectOptions options)
    : prepared_(prepared), options_(std::move(options)) {
  check(options_);
  ratios_.resize(prepared.couplings.groups().size());
  if (!options_.ignore.empty() || !options_.layers.empty()) {
    const Layers layers(prepared);
    lock_ignored(prepared, layers, options_);
    ratios_ = named_ratios(prepared, layers, options_);
  }
  groups_ = contenders(prepared, options_, ratios_);
  if (groups_.empty()) throw Error("nothing can be pruned: " + lock_summary(prepared));
  now_.selection.ratio = searched() ? 0 : options_.ratio;
  now_.selection.removed.assign(prepared.couplings.units().size(), 0);
}

StepwiseSelection::~StepwiseSelection() = default;

// Scores what is left and takes `share` of the way; `fresh`: a target's ratio is searched anew.
void StepwiseSelection::choose(double share, bool fresh) {
  const bool first =
      std::find(now_.selection.removed.begin(), now_.selection.removed.end(), 1) == now_.selection.removed.end();
  Selection out = now_.selection;
  const auto start = std::chrono::steady_clock::now();
  importance::ScoreOptions scoring{options_.criterion, {}, options_.reduction, normalizer(options_), options_.seed};
  if (options_.measure) scoring.measure = options_.measure(prepared_, out.removed);
  importance::UnitScores scores =
      importance::unit_scores(prepared_.model.graph, prepared_.couplings, prepared_.roles, scoring,
                              first ? std::span<const std::uint8_t>() : out.removed);
  out.scores = std::move(scores.units);
  out.score_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  keep_whole(scores.unmeasured);
  const Contest contest(prepared_.couplings, groups_, out.scores, out.removed);
  double ratio = out.ratio * share;
  if (searched() && fresh) {
    // Fresh scores may send dearer units than the scores before: only a ratio found anew, of which this step takes
    // its share, cannot carry the way past the target.
    const double found = search(prepared_, contest, options_);
    out.ratio = found > 0 ? found : now_.reached;
    ratio = found * share;
  }
  out.removed = contest.choose(ratio, share);
  out.step_parameters.push_back(count(prepared_, out.removed).parameters);
  now_.selection = std::move(out);
  now_.reached = std::max(now_.reached, ratio);
}

void StepwiseSelection::keep_whole(const std::vector<std::int32_t>& groups) {
  if (groups.empty()) return;
  const std::string_view name = options_.measure ? "the criterion" : importance::to_string(options_.criterion);
  for (std::string& warning : lock_unmeasured(prepared_, groups, now_.selection.removed, name))
    warnings_.push_back(std::move(warning));
  groups_ = contenders(prepared_, options_, ratios_);
  if (groups_.empty()) throw Error("nothing can be pruned: " + lock_summary(prepared_));
}

void StepwiseSelection::next() {
  if (done()) throw Error("all " + std::to_string(options_.steps) + " steps are done");
  Progress last = now_;
  const int step = now_.step + 1;
  // The last step arrives, even on a schedule that comes back down.
  choose(step == options_.steps ? 1 : iterative_ratio(1, step, options_.steps, options_.schedule), true);
  now_.step = step;
  before_ = std::move(last);
}

bool StepwiseSelection::due(double share) const {
  if (!(share > 0)) return false;
  share = std::min(share, 1.0);
  if (searched() && (now_.selection.ratio == 0 || share == 1)) return now_.arrived < share;
  const auto asked = units_asked(groups_, now_.selection.ratio * share, share);
  if (now_.asked.size() != asked.size())  // nothing was asked yet, or a lock has changed what may go
    return std::any_of(asked.begin(), asked.end(), [](std::int64_t count) { return count > 0; });
  return !std::equal(asked.begin(), asked.end(), now_.asked.begin(), std::less_equal<>());
}

bool StepwiseSelection::advance(double share) {
  if (!due(share)) return false;
  share = std::min(share, 1.0);
  Progress last = now_;
  choose(share, searched() && (now_.selection.ratio == 0 || share == 1));
  now_.asked = units_asked(groups_, now_.selection.ratio * share, share);
  now_.arrived = std::max(now_.arrived, share);
  const bool chosen = now_.selection.removed != last.selection.removed;
  if (chosen) before_ = std::move(last);
  return chosen;
}

StepwiseSelection::Position StepwiseSelection::position() const {
  return {now_.selection.removed, now_.step, now_.selection.ratio, now_.reached, now_.arrived};
}

void StepwiseSelection::go_to(const Position& position) {
  const auto units = prepared_.couplings.units();
  if (position.removed.size() != units.size())
    throw Error("position: expected " + std::to_string(units.size()) + " units, found " +
                std::to_string(position.removed.size()));
  for (std::size_t i = 0; i < units.size(); ++i)
    if (position.removed[i] && units[i].locked)
      throw Error("position: expected locked units to stay, found unit " + std::to_string(i) + " removed");
  now_ = {};
  now_.selection.removed = position.removed;
  now_.selection.ratio = position.ratio;
  now_.step = position.step;
  now_.reached = position.reached;
  now_.arrived = position.arrived;
  now_.asked = units_asked(groups_, position.ratio * position.arrived, position.arrived);
}

void StepwiseSelection::undo() {
  now_ = before_;
  groups_ = contenders(prepared_, options_, ratios_);
}

Selection select(Prepared& prepared, const SelectOptions& options, base::Progress* progress) {
  StepwiseSelection steps(prepared, options);
  while (!steps.done()) {
    steps.next();
    if (progress) progress->advance(static_cast<std::uint64_t>(steps.step()));
  }
  expect_removal(prepared, steps.selection(), options);
  Selection out = steps.selection();
  out.warnings = steps.warnings();
  return out;
}

}  // namespace coppice::pruning
