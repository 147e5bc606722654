#include "coppice/train/lottery.hpp"

#include <utility>

#include <torch/optim/optimizer.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/schedule.hpp"
#include "coppice/torch/masks.hpp"
#include "coppice/train/sparsify_callback.hpp"

#include "sparsity/selection.hpp"

namespace coppice {

Lottery::Lottery(Callable model, BatchSource data, LotteryOptions options)
    : model_(std::move(model)),
      data_(std::move(data)),
      options_(std::move(options)),
      point_(std::make_shared<RewindPoint>(options_.rewind_epoch)) {
  rewound(options_.training, options_.rewind_epoch);
  options_.pruning.optimizer = nullptr;  // each round has its own
  if (options_.sparsify) sparsity::check_keeps_zeros(*options_.sparsify);
  if (options_.rounds < 1) throw Error("lottery: expected 1 round or more, found " + std::to_string(options_.rounds));
  if (options_.sparsify && options_.sparsify->pattern.kind == sparsity::Pattern::Kind::keep_of && options_.rounds > 1)
    throw Error("lottery: expected 1 round with the pattern " + sparsity::to_string(options_.sparsify->pattern) +
                ", found " + std::to_string(options_.rounds));
}

Lottery::~Lottery() = default;

Ticket Lottery::ticket() const {
  Ticket out = point_->ticket();
  out.masks = masks_;
  return out;
}

Plan Lottery::plan() const {
  return pruner_ ? pruner_->plan() : Plan();
}

// Whether it came to its end.
bool Lottery::train(int round) {
  const auto optimizer = make_optimizer(options_.optimizer, model_.module().parameters());
  TrainerOptions training = round == 0 ? options_.training : rewound(options_.training, options_.rewind_epoch);
  if (round == 0) training.callbacks.push_back(point_);
  if (!masks_.empty()) training.callbacks.push_back(std::make_shared<SparsifyCallback>(FixedMasks{masks_}));
  Trainer trainer(model_, *optimizer, data_, std::move(training));
  if (round == 0) {
    PrunerOptions pruning = options_.pruning;
    if (pruning.example_inputs.empty()) pruning.example_inputs = trainer.example_inputs();
    options_.pruning.example_inputs = pruning.example_inputs;
    pruner_ = std::make_unique<Pruner>(model_, std::move(pruning));
  }
  const History& history = trainer.fit();
  const PruneStep& last = pruner_->last_step();
  rounds_.push_back({round, last.parameters, last.parameters, last.macs, history});
  for (const at::Tensor& parameter : model_.module().parameters())
    rounds_.back().nonzero -= parameter.eq(0).sum().item<std::int64_t>();
  return !trainer.stopped();
}

bool Lottery::done() const {
  return options_.sparsify ? static_cast<int>(rounds_.size()) > options_.rounds : pruner_->done();
}

// Zeros of earlier rounds are the smallest weights, and so stay zero.
void Lottery::shrink() {
  if (!options_.sparsify) {
    pruner_->prune_model();
    return;
  }
  const auto of_way = [&](double target) {
    return pruning::geometric_ratio(target, static_cast<int>(rounds_.size()), options_.rounds);
  };
  sparsity::SparsifyOptions now = *options_.sparsify;
  now.sparsity = of_way(now.sparsity);
  for (auto& [name, share] : now.layers) share = of_way(share);
  masks_ = choose_masks(model_, now, options_.pruning.example_inputs);
}

const std::vector<LotteryRound>& Lottery::run() {
  if (!rounds_.empty()) throw Error("lottery: it was run already");
  for (int round = 0; train(round) && !done(); ++round) {
    if (options_.go_on && !options_.go_on(rounds_.back())) break;
    shrink();
    reset_to_ticket(model_, ticket(), plan());
  }
  return rounds_;
}

}  // namespace coppice
