#include "coppice/sparsity/streamed.hpp"

#include <map>
#include <optional>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "sparsity/contest.hpp"
#include "sparsity/selection.hpp"
#include "sparsity/streamed_count.hpp"

namespace coppice::sparsity {
namespace {

using tensor::Mask;
using tensor::Smallest;

// Whether single weights compete by |w|: then their zeros are written without masks.
bool plain(const SparsifyOptions& options) {
  const bool scores = options.criterion == importance::Criterion::random ||
                      options.criterion == importance::Criterion::small_final ||
                      options.criterion == importance::Criterion::lamp;
  return !scores && options.scores.empty() && options.pattern.kind != Pattern::Kind::tiles &&
         options.granularity == Granularity::weight;
}

}  // namespace

struct StreamedSparsifier::State {
  SparsifyOptions options;
  std::vector<NamedWeight> weights;
  std::vector<LeftDense> left;
  struct Part {
    Entrant entrant;
    std::optional<double> sparsity;  ///< Of its own; none: it competes with others.
    std::size_t place = 0;           ///< Among those.
  };
  std::map<std::size_t, Part> parts;  ///< By the index of the weight.
  std::optional<Smallest> smallest;   ///< Of those that compete with one another,
  std::vector<Mask> masks;            ///< or these.

  void compete_together(const std::vector<Entrant>& together) {
    if (together.empty()) return;
    if (!plain(options)) {
      masks = compete(together, options.sparsity, options);
      return;
    }
    smallest = smallest_of(together, options.sparsity);
  }

  static Smallest smallest_of(const std::vector<Entrant>& entrants, double sparsity) {
    std::vector<tensor::Weights> lists;
    for (const Entrant& entrant : entrants) lists.push_back({entrant.site.name, entrant.tensor});
    return Smallest::of(std::move(lists), target(entrants, sparsity));
  }

  Mask mask(const Part& part) const {
    const bool alone = part.sparsity || options.pattern.kind == Pattern::Kind::keep_of;
    if (alone) return compete({part.entrant}, part.sparsity.value_or(0), options).front();
    return smallest ? smallest->mask(part.place) : masks[part.place];
  }

  // The same without building a mask where that can be.
  void write(const Part& part, std::span<std::byte> out) const {
    const Entrant& entrant = part.entrant;
    if (options.pattern.kind == Pattern::Kind::keep_of && plain(options)) {
      tensor::zero_keep_of(entrant.site.name, entrant.tensor,
                           {options.pattern.a, options.pattern.b, entrant.site.input_axis}, out);
    } else if (part.sparsity && plain(options)) {
      smallest_of({entrant}, *part.sparsity).zero(0, out);
    } else if (smallest && !part.sparsity) {
      smallest->zero(part.place, out);
    } else {
      apply_mask(mask(part), entrant.tensor, out);
    }
  }
};

StreamedSparsifier::StreamedSparsifier(std::vector<NamedWeight> weights, const SparsifyOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->weights = std::move(weights);
  const std::vector<Site> sites = find_sites(state->weights);
  check_options(options);
  if (sites.empty()) throw Error("nothing to sparsify: there is no tensor of two to five axes named *.weight");
  check_names(sites, options);
  std::vector<Entrant> together;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto weight = static_cast<std::size_t>(sites[i].value);
    const std::optional<double> own = own_sparsity(sites[i], options);
    Site site = sites[i];
    if (own && tensor::is_real(state->weights[weight].tensor.dtype)) site.obstacle.clear();
    if (auto reason = exclusion(site, options)) {
      state->left.push_back({site, std::move(*reason)});
      continue;
    }
    State::Part part{{site, state->weights[weight].tensor, i}, own, together.size()};
    // A pattern N:M makes the sparsity of each layer by itself.
    const bool alone = options.context == Context::local || options.pattern.kind == Pattern::Kind::keep_of;
    if (!own && alone) part.sparsity = options.sparsity;
    if (!part.sparsity) together.push_back(part.entrant);
    state->parts.emplace(weight, std::move(part));
  }
  if (state->parts.empty()) nothing_left(state->left);
  state->compete_together(together);
  state_ = std::move(state);
}

StreamedSparsifier::~StreamedSparsifier() = default;

bool StreamedSparsifier::takes_part(std::size_t weight) const {
  return state_->parts.contains(weight);
}

const std::vector<LeftDense>& StreamedSparsifier::left() const {
  return state_->left;
}

std::vector<Site> StreamedSparsifier::sites() const {
  std::vector<Site> out;
  for (const auto& [weight, part] : state_->parts) out.push_back(part.entrant.site);
  return out;
}

ZeroCount StreamedSparsifier::zero(std::size_t weight, std::span<std::byte> out, Mask* mask) const {
  const auto found = state_->parts.find(weight);
  if (found == state_->parts.end()) throw stays_dense(weight);
  const Entrant& entrant = found->second.entrant;
  check_room(entrant.site, entrant.tensor, out);
  if (mask) {
    *mask = state_->mask(found->second);
    apply_mask(*mask, entrant.tensor, out);
  } else {
    state_->write(found->second, out);
  }
  return count_written(entrant.site, entrant.tensor, out);
}

}  // namespace coppice::sparsity
