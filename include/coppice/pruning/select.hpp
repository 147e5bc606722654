#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/base/progress.hpp"
#include "coppice/importance/criterion.hpp"
#include "coppice/importance/normalizer.hpp"
#include "coppice/importance/reduction.hpp"
#include "coppice/importance/scores.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/pruning/schedule.hpp"

namespace coppice::pruning {

/// What competes with what.
enum class Context : std::uint8_t {
  local,       ///< Every group loses the same share.
  global,      ///< All units of all groups are ranked together.
  isomorphic,  ///< Groups with the same surroundings are ranked together.
};

std::string_view to_string(Context context);
/// Throws Error, which lists the names, on any other text.
Context parse_context(std::string_view text);

struct SelectOptions {
  double ratio = 0;  ///< Share of every group's original units to remove, in [0, 1).
  Context context = Context::local;
  importance::Criterion criterion = importance::Criterion::large_final;
  importance::Reduction reduction = importance::Reduction::mean;  ///< Over the members of a unit.
  /// Within a group, before groups compete; nothing given: none for local and for the criterion lamp, whose scores are
  /// shares of their group already, mean otherwise.
  std::optional<importance::Normalizer> normalizer{};
  /// Ratio by node or parameter prefix ("layer1.0.conv1", with glob characters if wanted) for the groups of that
  /// layer's outputs. The longest match wins; groups without a match take `ratio`. A group with a ratio of its own does
  /// not compete with others.
  std::vector<std::pair<std::string, double>> layers{};
  std::vector<std::string> ignore{};  ///< Globs of node or parameter names whose output units must stay.
  std::int64_t round_to = 1;   ///< Kept widths of layers' outputs, locked units included, are multiples of this where
                               ///< possible. A unit may own several indices: a head has its width.
  std::int64_t min_units = 1;  ///< No group goes below this.
  int steps = 1;               ///< Scores are taken anew after each step.
  Schedule schedule = Schedule::linear;
  std::optional<double> target_macs{}, target_parameters{};  ///< Share to *keep*, in (0, 1): the ratio is
                                                             ///< searched, anew at every step.
  std::uint64_t seed = 0;
  /// When given, makes what takes the place of `criterion`, for the model without the units in `removed` (by unit):
  /// asked once a step.
  std::function<importance::Measure(const Prepared&, std::span<const std::uint8_t> removed)> measure{};
};

struct Selection {
  std::vector<std::uint8_t> removed;          ///< By unit.
  std::vector<std::int64_t> step_parameters;  ///< Parameters left after each step.
  std::vector<double> scores;                 ///< By unit, of the last step; unlocked units only, else 0.
  double ratio = 0;                           ///< As asked or found by the search.
  double score_seconds = 0;                   ///< Time spent on reading the weights.
  std::vector<std::string> warnings;          ///< One line each. Filled by select().
};

/// Applies `ignore` and layer names (Error with the nearest names for one that matches nothing) and chooses.
/// Units that the options keep are locked in `prepared` (Reason::ignored), and so are groups of which the criterion
/// measures nothing (Reason::unmeasured), which warnings name. Deterministic for a given seed, whatever the
/// number of threads. Throws Error for a ratio out of range, a target that cannot be reached, or a model in which
/// nothing can be pruned (with the lock report's summary). `progress`, when given, is told of every step that is done.
Selection select(Prepared& prepared, const SelectOptions& options, base::Progress* progress = nullptr);

struct Contender;

/// select() one step at a time, for weights that change in between: put them into the constants of `prepared`, with
/// anything in the slices of units that are gone.
class StepwiseSelection {
 public:
  /// Applies `ignore` and layer names as select() does. `prepared` must outlive this.
  StepwiseSelection(Prepared& prepared, SelectOptions options);
  ~StepwiseSelection();

  /// Whether all steps were made.
  bool done() const { return now_.step == options_.steps; }
  int step() const { return now_.step; }
  /// Chooses what the next step removes, on top of what went before, and locks groups of which nothing is measured.
  /// Throws Error when all steps are done, when that leaves nothing to prune, and as the measure does; then no step is
  /// made.
  void next();
  /// Goes to `share` (0..1) of the way to the ratios, whatever the steps: for schedules of the caller's own. Returns
  /// whether that took a unit. With a target the ratio is searched by the first call, and again at the end of the way.
  bool advance(double share);
  /// Whether advance(share) has anything to do: false when `share` asks no group for more units than it was asked for
  /// before. Costs next to nothing; asks for no scores.
  bool due(double share) const;
  /// Takes the last next() or advance() that chose something back, and looks again at what may go.
  void undo();
  const Selection& selection() const { return now_.selection; }
  /// Names the groups that were locked because nothing of them is measured, one line each, of all steps. undo() takes
  /// neither back.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Where a selection stands: what another one for the same model and options needs to go on from there.
  struct Position {
    std::vector<std::uint8_t> removed;  ///< By unit.
    int step = 0;
    double ratio = 0, reached = 0, arrived = 0;
  };
  Position position() const;
  /// Throws Error unless `removed` has the length of the units and locked ones stay.
  void go_to(const Position& position);

 private:
  bool searched() const { return options_.target_macs || options_.target_parameters; }
  void choose(double share, bool fresh);
  void keep_whole(const std::vector<std::int32_t>& groups);

  // What undo() brings back.
  struct Progress {
    Selection selection;
    int step = 0;
    double reached = 0;
    std::vector<std::int64_t> asked;  // by advance(), by contender and set
    double arrived = 0;               // the furthest share of advance()
  };

  Prepared& prepared_;
  SelectOptions options_;
  std::vector<std::optional<double>> ratios_;  // of named layers, by group
  std::vector<Contender> groups_;
  Progress now_, before_;
  std::vector<std::string> warnings_;
};

}  // namespace coppice::pruning
