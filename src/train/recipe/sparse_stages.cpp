#include "train/recipe/sparse_stages.hpp"

#include <cmath>
#include <map>
#include <optional>

#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/schedule.hpp"
#include "coppice/torch/masks.hpp"
#include "coppice/torch/sparsity_scores.hpp"
#include "coppice/torch/tensors.hpp"
#include "coppice/train/rewind.hpp"

#include "train/recipe/choices.hpp"

namespace coppice::recipe {
namespace {

bool is_lottery(const Recipe& recipe) {
  return recipe.sparsify && recipe.sparsify->method == SparsifyMethod::lottery;
}

// Zeros of the rounds before are the smallest weights, and so stay zero.
sparsity::SparsifyOptions after_rounds(sparsity::SparsifyOptions what, int round, int rounds) {
  what.sparsity = pruning::geometric_ratio(what.sparsity, round, rounds);
  for (auto& [name, share] : what.layers) share = pruning::geometric_ratio(share, round, rounds);
  return what;
}

// What a choice on the module of now goes by. Weights that are zero already are the first to be so again.
sparsity::SparsifyOptions with_scores(const Recipe& recipe, const Way& way, GraphModule& module,
                                      sparsity::SparsifyOptions what) {
  const Sparsify& sparsify = *recipe.sparsify;
  if (!sparsify.criterion || what.criterion == importance::Criterion::random) return what;
  const Calibration calibration{.data = way.loaders().plain,
                                .loss = make_loss(main_training(recipe).loss, 0),
                                .batches = sparsify.calibration_batches,
                                .seed = way.seed()};
  what.scores = sparsity_scores(module, *sparsify.criterion, calibration, way.seed());
  const auto weights = module.constants();
  for (auto& [name, scores] : what.scores) {
    const at::Tensor found = to_torch(scores);
    scores = to_coppice(found.masked_fill(weights.at(name).detach().cpu().eq(0), -HUGE_VAL));
  }
  return what;
}

bool go_rounds(const Recipe& recipe, Way& way, const std::string& ticket_file, const sparsity::SparsifyOptions& what) {
  const Sparsify& sparsify = *recipe.sparsify;
  std::optional<Ticket> ticket;
  if (is_lottery(recipe))
    ticket = take_ticket(Callable(std::make_shared<GraphModule>(formats::read_onnx(ticket_file))));
  for (int round = 1; round <= sparsify.rounds; ++round) {
    const std::string name = "round-" + std::to_string(round);
    const bool whole = way.stage(name, [&](GraphModule& module, History& history) {
      const sparsity::SparsifyOptions now = after_rounds(what, round, sparsify.rounds);
      const FixedMasks fixed{choose_masks(module, with_scores(recipe, way, module, now))};
      const auto zeros = std::make_shared<SparsifyCallback>(fixed);
      if (!ticket) return way.train(name, sparsify.training, {zeros}, module, history);
      ticket->masks = fixed.masks;
      reset_to_ticket(module, *ticket);
      TrainerOptions options = rewound(way.trainer_options(name, recipe.train), sparsify.rewind_epoch);
      options.callbacks.insert(options.callbacks.begin(), zeros);
      return way.fit(name, recipe.train.optimizer, std::move(options), module, history);
    });
    if (!whole) return false;
  }
  return true;
}

}  // namespace

bool make_ticket(const Recipe& recipe, Way& way, std::string& from) {
  if (!is_lottery(recipe) || recipe.sparsify->rewind_epoch == 0) return true;
  const std::string trained = way.model();
  way.begin_with(from);
  // The same first epochs as those of [train], to the bit.
  Training training = recipe.train;
  training.keep_best = false;  // wanted is what that epoch ended with
  if (!way.stage("ticket", [&](GraphModule& module, History& history) {
        return way.fit("ticket", training.optimizer,
                       up_to(way.trainer_options("ticket", training), recipe.sparsify->rewind_epoch), module, history);
      }))
    return false;
  from = way.model();
  way.begin_with(trained);
  return true;
}

bool make_sparse(const Recipe& recipe, Way& way, const std::string& ticket, bool by_chance) {
  if (!recipe.sparsify) return true;
  const Sparsify& sparsify = *recipe.sparsify;
  sparsity::SparsifyOptions what = sparsify.what;
  what.seed = way.seed();
  if (by_chance) what.criterion = importance::Criterion::random;
  if (sparsify.method == SparsifyMethod::lottery || sparsify.method == SparsifyMethod::iterative)
    return go_rounds(recipe, way, ticket, what);
  return way.stage("sparsify", [&](GraphModule& module, History& history) {
    if (sparsify.method == SparsifyMethod::gradual)
      return way.train("sparsify", sparsify.training, {std::make_shared<SparsifyCallback>(what, sparsify.when)}, module,
                       history);
    apply_masks(module, choose_masks(module, with_scores(recipe, way, module, what)));
    return true;
  });
}

std::vector<std::shared_ptr<Callback>> kept_zeros(const Recipe& recipe, GraphModule& module) {
  if (!recipe.sparsify) return {};
  FixedMasks fixed;
  const std::map<std::string, at::Tensor> tensors = module.constants();
  for (const sparsity::Site& site : sparsity::find_sites(module.view().graph))
    if (const auto tensor = tensors.find(site.name); tensor != tensors.end() && site.obstacle.empty())
      fixed.masks.emplace_back(site.name, tensor->second.ne(0));
  return {std::make_shared<SparsifyCallback>(std::move(fixed))};
}

}  // namespace coppice::recipe
