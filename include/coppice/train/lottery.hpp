#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "coppice/torch/pruner.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/rewind.hpp"

namespace coppice {

/// One training of a Lottery.
struct LotteryRound {
  int round = 0;  ///< 0: the whole network.
  std::int64_t parameters = 0;
  double macs = 0;
  History history;
};

struct LotteryOptions {
  OptimizerOptions optimizer;
  TrainerOptions training;  ///< Of the whole network; every round has the same end.
  PrunerOptions pruning;    ///< One round for each of its `iterative_steps`.
  std::int64_t rewind_epoch = 0;
  std::function<bool(const LotteryRound&)> go_on;  ///< Asked after every round but the last; empty: always.
};

/// The search for lottery tickets: train, cut a step, set the weights that are left back to the ticket, train again,
/// until all steps of the pruner are done. Every round begins with the ticket's weights, a fresh optimizer, and the
/// rate where it stood at `rewind_epoch`. Source: iterative pruning of Frankle and Carbin, 2019.
class Lottery {
 public:
  /// Throws Error for options that do not go together, and as Trainer and Pruner do.
  Lottery(Callable model, BatchSource data, LotteryOptions options);
  ~Lottery();

  /// Leaves the model trained from the ticket in the last round's widths. Throws Error as its parts do.
  const std::vector<LotteryRound>& run();
  /// Of the whole network; throws Error before the first round reached it.
  const Ticket& ticket() const { return point_->ticket(); }
  /// What was cut of the whole network so far; empty before run().
  Plan plan() const;

 private:
  bool train(int round);

  Callable model_;
  BatchSource data_;
  LotteryOptions options_;
  std::shared_ptr<RewindPoint> point_;
  std::unique_ptr<Pruner> pruner_;
  std::vector<LotteryRound> rounds_;
};

}  // namespace coppice
