#include "coppice/sparsity/streamed.hpp"

#include <optional>
#include <unordered_map>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "sparsity/contest.hpp"
#include "sparsity/selection.hpp"

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

tensor::Tensor over(const tensor::Tensor& like, std::span<const std::byte> bytes) {
  return {like.dtype, like.shape, tensor::Bytes(nullptr, bytes), nullptr};
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
  std::unordered_map<std::size_t, Part> parts;  ///< By the index of the weight.
  std::optional<Smallest> smallest;             ///< Of those that compete with one another,
  std::vector<Mask> masks;                      ///< or these.

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

  void write(const Part& part, std::span<std::byte> out) const {
    const Entrant& entrant = part.entrant;
    if (options.pattern.kind == Pattern::Kind::keep_of && plain(options)) {
      tensor::zero_keep_of(entrant.site.name, entrant.tensor,
                           {options.pattern.a, options.pattern.b, entrant.site.input_axis}, out);
    } else if (part.sparsity && plain(options)) {
      smallest_of({entrant}, *part.sparsity).zero(0, out);
    } else if (part.sparsity) {
      apply_mask(compete({entrant}, *part.sparsity, options).front(), entrant.tensor, out);
    } else if (smallest) {
      smallest->zero(part.place, out);
    } else {
      apply_mask(masks[part.place], entrant.tensor, out);
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
StreamedSparsifier::StreamedSparsifier(StreamedSparsifier&&) noexcept = default;

bool StreamedSparsifier::takes_part(std::size_t weight) const {
  return state_->parts.contains(weight);
}

const std::vector<LeftDense>& StreamedSparsifier::left() const {
  return state_->left;
}

ZeroCount StreamedSparsifier::zero(std::size_t weight, std::span<std::byte> out) const {
  const auto found = state_->parts.find(weight);
  if (found == state_->parts.end()) throw Error("weight " + std::to_string(weight) + " stays dense");
  const Entrant& entrant = found->second.entrant;
  if (out.size() != entrant.tensor.bytes.size())
    throw Error(entrant.site.name + ": expected room for " + std::to_string(entrant.tensor.bytes.size()) +
                " bytes, found " + std::to_string(out.size()));
  state_->write(found->second, out);
  return {entrant.site.name, entrant.site.layer, entrant.tensor.elements(), count_zeros(entrant.tensor),
          count_zeros(over(entrant.tensor, out))};
}

}  // namespace coppice::sparsity
