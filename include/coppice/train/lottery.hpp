#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/rewind.hpp"

namespace coppice {

/// One training of a Lottery.
struct LotteryRound {
  int round = 0;  ///< 0: the whole network.
  std::int64_t parameters = 0;
  std::int64_t nonzero = 0;  ///< Of the parameters, at the end of the training.
  double macs = 0;
  History history;
};

struct LotteryOptions {
  OptimizerOptions optimizer;
  TrainerOptions training;  ///< Of the whole network; every round has the same end.
  PrunerOptions pruning;    ///< One round for each of its `iterative_steps`.
  /// In place of `pruning`, single weights go, by what they are at the end of a training: in `rounds` rounds, each the
  /// same share of those that are left. A pattern N:M takes one round.
  std::optional<sparsity::SparsifyOptions> sparsify{};
  int rounds = 1;
  std::int64_t rewind_epoch = 0;
  std::function<bool(const LotteryRound&)> go_on;  ///< Asked after every round but the last; empty: always.
};

/// The search for lottery tickets: train, cut a step or make weights zero, set those that are left back to the ticket,
/// train again, until all steps are done. Every round begins with the ticket's weights, a fresh optimizer, and the rate
/// where it stood at `rewind_epoch`. Source: iterative pruning of Frankle and Carbin, 2019.
class Lottery {
 public:
  /// Throws Error for options that do not go together, and as Trainer and Pruner do.
  Lottery(Callable model, BatchSource data, LotteryOptions options);
  ~Lottery();

  /// Leaves the model trained from the ticket in the last round's widths. Throws Error as its parts do.
  const std::vector<LotteryRound>& run();
  /// Of the whole network, with the masks of the last round; throws Error before the first round reached it.
  Ticket ticket() const;
  /// What was cut of the whole network so far; empty before run().
  Plan plan() const;

 private:
  bool train(int round);
  bool done() const;
  void shrink();

  Callable model_;
  BatchSource data_;
  LotteryOptions options_;
  std::shared_ptr<RewindPoint> point_;
  std::unique_ptr<Pruner> pruner_;
  NamedTensors masks_;
  std::vector<LotteryRound> rounds_;
};

}  // namespace coppice
