#include "sparsity/contest.hpp"

#include <algorithm>
#include <cmath>

namespace coppice::sparsity {
namespace {

using tensor::Mask;

std::vector<Mask> keep_of(const std::vector<Entrant>& entrants, const SparsifyOptions& options) {
  std::vector<Mask> out;
  for (const Entrant& entrant : entrants) {
    const tensor::KeepOf pattern{options.pattern.a, options.pattern.b, entrant.site.input_axis};
    const auto scores = weight_scores(entrant, options);
    out.push_back(scores ? tensor::mask_keep_of(*scores, entrant.tensor.shape, pattern)
                         : tensor::mask_keep_of(entrant.site.name, entrant.tensor, pattern));
  }
  return out;
}

std::vector<Mask> single_weights(const std::vector<Entrant>& entrants, double sparsity,
                                 const SparsifyOptions& options) {
  std::vector<tensor::Weights> weights;
  std::vector<tensor::Scores> scores;
  for (const Entrant& entrant : entrants) {
    if (auto own = weight_scores(entrant, options)) {
      scores.push_back(std::move(*own));
    } else {
      weights.push_back({entrant.site.name, entrant.tensor});
    }
  }
  const std::int64_t count = target(entrants, sparsity);
  const auto smallest =
      scores.empty() ? tensor::Smallest::of(std::move(weights), count) : tensor::Smallest::of(std::move(scores), count);
  std::vector<Mask> out;
  for (std::size_t i = 0; i < entrants.size(); ++i) out.push_back(smallest.mask(i));
  return out;
}

struct Unit {
  double score;
  std::size_t entrant, index;
};

std::vector<Mask> units(const std::vector<Entrant>& entrants, double sparsity, const SparsifyOptions& options) {
  std::vector<tensor::Units> views;
  std::vector<std::vector<bool>> drop;
  std::vector<Unit> order;
  for (std::size_t i = 0; i < entrants.size(); ++i) {
    views.push_back(options.pattern.kind == Pattern::Kind::tiles ? tiles_of(entrants[i].site, options.pattern)
                                                                 : units_of(entrants[i].site, options.granularity));
    const std::vector<double> scores = unit_scores(entrants[i], views.back(), options);
    for (std::size_t index = 0; index < scores.size(); ++index) order.push_back({scores[index], i, index});
    drop.emplace_back(scores.size());
  }
  std::stable_sort(order.begin(), order.end(), [](const Unit& a, const Unit& b) { return a.score < b.score; });
  std::int64_t left = target(entrants, sparsity);
  for (const Unit& unit : order) {
    const std::int64_t size = views[unit.entrant].size();
    if (size - left > left) break;  // further from the target than without it
    drop[unit.entrant][unit.index] = true;
    left -= size;
  }
  std::vector<Mask> out;
  for (std::size_t i = 0; i < entrants.size(); ++i) out.push_back(tensor::unit_mask(views[i], drop[i]));
  return out;
}

}  // namespace

std::int64_t target(const std::vector<Entrant>& entrants, double sparsity) {
  std::int64_t weights = 0;
  for (const Entrant& entrant : entrants) weights += entrant.tensor.elements();
  return std::min<std::int64_t>(std::llround(sparsity * static_cast<double>(weights)), weights);
}

std::vector<Mask> compete(const std::vector<Entrant>& entrants, double sparsity, const SparsifyOptions& options) {
  if (entrants.empty()) return {};
  if (options.pattern.kind == Pattern::Kind::keep_of) return keep_of(entrants, options);
  if (options.pattern.kind == Pattern::Kind::none && options.granularity == Granularity::weight)
    return single_weights(entrants, sparsity, options);
  return units(entrants, sparsity, options);
}

}  // namespace coppice::sparsity
