#include <algorithm>

#include "coppice/base/error.hpp"
#include "coppice/graph/infer.hpp"

#include "graph/ops/helpers.hpp"
#include "graph/worlds/extents.hpp"

namespace coppice::graph {
namespace {

using worlds::DynamicDim;
using worlds::Inputs;
using worlds::Recipe;
using worlds::Role;

// Extents of the dynamic dimensions that `given` names, -1 elsewhere. Throws Error where it contradicts the file.
std::vector<std::int64_t> fixed_extents(const Graph& graph, const Inputs& inputs,
                                        const std::vector<std::pair<std::string, Shape>>& given) {
  std::vector<std::int64_t> out(inputs.dims.size(), -1);
  for (const auto& [name, shape] : given) {
    const auto fail = [&, input_name = name](const std::string& what) {
      throw Error("shape for input \"" + input_name + "\": " + what);
    };
    std::size_t input = 0;
    while (input < inputs.values.size() && graph.name_of(inputs.values[input]) != name) ++input;
    if (input == inputs.values.size()) {
      std::string names;
      for (ValueId id : inputs.values) names += (names.empty() ? "" : ", ") + std::string(graph.name_of(id));
      fail("expected one of the inputs " + names);
    }
    const auto& declared = *graph.values[static_cast<std::size_t>(inputs.values[input])].shape;
    if (declared.size() != shape.size())
      fail("expected " + std::to_string(declared.size()) + " extents, found " + ops::show(shape));
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (declared[d].size >= 0 && shape[d] >= 0 && declared[d].size != shape[d])
        fail("expected extent " + std::to_string(declared[d].size) + " on axis " + std::to_string(d) + ", found " +
             ops::show(shape));
    for (std::size_t i = 0; i < inputs.dims.size(); ++i)
      for (const auto& [at, axis] : inputs.dims[i].places)
        if (at == input && shape[axis] >= 0) out[i] = shape[axis];
  }
  return out;
}

struct Trial {
  World world;
  std::vector<std::int64_t> extents;
  Recipe recipe;
  std::size_t problems = SIZE_MAX;
};

// Tries recipes on the graph and keeps the first that has the fewest problems.
class Trials {
 public:
  Trials(const Model& model, const Inputs& inputs) : model_(model), inputs_(inputs) {}

  void attempt(Trial& best, const Recipe& recipe, const std::vector<std::int64_t>& fixed,
               const std::vector<std::int64_t>* avoid) {
    if (best.problems == 0) return;
    // On large graphs a few trials must do.
    if (best.problems != SIZE_MAX && visited_ > visit_limit) return;
    Trial trial;
    trial.extents = worlds::extents(inputs_, recipe, fixed, avoid);
    if (trial.extents == best.extents) return;
    trial.recipe = recipe;
    trial.world = worlds::world_of(model_.graph, inputs_, trial.extents);
    std::vector<std::string> problems;
    infer_tolerant(model_, model_.graph, trial.world, &problems);
    visited_ += model_.graph.nodes.size();
    trial.problems = problems.size();
    if (trial.problems < best.problems) best = std::move(trial);
  }

 private:
  static constexpr std::size_t visit_limit = 400'000;  ///< Nodes, over all trials.
  const Model& model_;
  const Inputs& inputs_;
  std::size_t visited_ = 0;
};

// Image sizes in order of likeliness (width other than height first, so that the two are told apart), then lengths of
// texts and signals.
constexpr std::pair<std::int64_t, std::int64_t> image_sizes[] = {{224, 256}, {224, 224}, {320, 320}, {640, 640},
                                                                 {512, 512}, {32, 320},  {48, 192},  {256, 256},
                                                                 {384, 384}, {28, 28},   {64, 64},   {1024, 1024}};
constexpr std::int64_t lengths[] = {12, 64, 128, 512, 1500, 3000, 16000};

Trial search(Trials& trials, Recipe recipe, const std::vector<std::int64_t>& fixed,
             const std::vector<std::int64_t>* avoid) {
  Trial best;
  const auto with_equalities = [&](Recipe changed) {
    for (const bool by_role : {recipe.by_role, !recipe.by_role})
      for (const bool total_is_sum : {recipe.total_is_sum, !recipe.total_is_sum}) {
        changed.by_role = by_role;
        changed.total_is_sum = total_is_sum;
        trials.attempt(best, changed, fixed, avoid);
      }
  };
  with_equalities(recipe);
  if (best.problems == 0) return best;
  recipe.by_role = best.recipe.by_role;
  recipe.total_is_sum = best.recipe.total_is_sum;
  for (const auto& [height, width] : image_sizes) {
    Recipe changed = recipe;
    changed.height = height;
    changed.width = width;
    with_equalities(changed);
  }
  for (std::int64_t length : lengths) {
    Recipe changed = best.recipe;
    changed.sequence = length;
    with_equalities(changed);
  }
  return best;
}

// The second world's search starts from other numbers than the first one's result.
Recipe other_numbers(Recipe recipe) {
  recipe.batch += 1;
  recipe.height += 64;
  recipe.width += 96;
  recipe.depth += 8;
  recipe.sequence += 8;
  recipe.past += 2;
  recipe.other += 2;
  return recipe;
}

}  // namespace

Worlds choose_worlds(const Model& model, const std::vector<std::pair<std::string, Shape>>& given) {
  const Inputs inputs = worlds::collect_inputs(model.graph);
  const std::vector<std::int64_t> fixed = fixed_extents(model.graph, inputs, given);
  Worlds out;
  out.dynamic = !inputs.dims.empty();
  const std::vector<std::int64_t> open(inputs.dims.size(), -1);
  if (!out.dynamic) {
    out.first = out.second = out.counting = worlds::world_of(model.graph, inputs, open);
    return out;
  }
  Trials trials(model, inputs);

  // An extent of 1 hides what depends on it, so it guides only the counting.
  std::vector<std::int64_t> guide = fixed;
  for (std::int64_t& extent : guide)
    if (extent < 2) extent = -1;
  Trial first = search(trials, {}, guide, nullptr);

  Trial second = search(trials, other_numbers(first.recipe), open, &first.extents);
  if (second.problems > first.problems) {
    // Some extents can't really vary (they are fixed inside the graph): vary the batch alone, or nothing.
    std::vector<std::int64_t> held = first.extents;
    for (std::size_t i = 0; i < held.size(); ++i)
      if (inputs.dims[i].role == Role::batch) held[i] = -1;
    trials.attempt(second, other_numbers(first.recipe), held, &first.extents);
    if (second.problems > first.problems) second = first;
  }

  std::vector<std::int64_t> counted = fixed;
  Recipe usual = first.recipe;
  usual.batch = 1;
  usual.by_role = true;
  usual.width = usual.height = 224;
  Trial counting;
  trials.attempt(counting, usual, counted, nullptr);
  usual.width = first.recipe.width;
  usual.height = first.recipe.height;
  trials.attempt(counting, usual, counted, nullptr);
  usual.by_role = first.recipe.by_role;
  trials.attempt(counting, usual, counted, nullptr);

  out.first = std::move(first.world);
  out.second = std::move(second.world);
  out.counting = std::move(counting.world);
  return out;
}

}  // namespace coppice::graph
