#include "coppice/train/lottery.hpp"

#include <utility>

#include <torch/optim/optimizer.h>

#include "coppice/base/error.hpp"

namespace coppice {

Lottery::Lottery(Callable model, BatchSource data, LotteryOptions options)
    : model_(std::move(model)),
      data_(std::move(data)),
      options_(std::move(options)),
      point_(std::make_shared<RewindPoint>(options_.rewind_epoch)) {
  rewound(options_.training, options_.rewind_epoch);
  options_.pruning.optimizer = nullptr;  // each round has its own
}

Lottery::~Lottery() = default;

Plan Lottery::plan() const {
  return pruner_ ? pruner_->plan() : Plan();
}

// Whether it came to its end.
bool Lottery::train(int round) {
  const auto optimizer = make_optimizer(options_.optimizer, model_.module().parameters());
  TrainerOptions training = round == 0 ? options_.training : rewound(options_.training, options_.rewind_epoch);
  if (round == 0) training.callbacks.push_back(point_);
  Trainer trainer(model_, *optimizer, data_, std::move(training));
  if (round == 0) {
    PrunerOptions pruning = options_.pruning;
    if (pruning.example_inputs.empty()) pruning.example_inputs = trainer.example_inputs();
    pruner_ = std::make_unique<Pruner>(model_, std::move(pruning));
  }
  const History& history = trainer.fit();
  rounds_.push_back({round, pruner_->last_step().parameters, pruner_->last_step().macs, history});
  return !trainer.stopped();
}

const std::vector<LotteryRound>& Lottery::run() {
  if (!rounds_.empty()) throw Error("lottery: it was run already");
  for (int round = 0; train(round) && !pruner_->done(); ++round) {
    if (options_.go_on && !options_.go_on(rounds_.back())) break;
    pruner_->prune_model();
    reset_to_ticket(model_, ticket(), plan());
  }
  return rounds_;
}

}  // namespace coppice
