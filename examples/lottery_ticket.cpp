// The lottery ticket hypothesis: five times train, make the smallest fifth of the weights zero, set the others back to
// what they began with, and train again. With `pruning` in place of `sparsify`, channels go.
//   lottery_ticket [SAMPLES]      (pictures of Fashion-MNIST; default 6,000)
#include <cmath>
#include <cstdio>

#include <coppice/torch/graph_module.hpp>
#include <coppice/train/lottery.hpp>
#include <coppice/zoo/zoo.hpp>
#include <torch/torch.h>

#include "fashion.hpp"

using namespace coppice;

int main(int count, char** arguments) {
  return run_example(count, arguments, [](const std::string& samples) {
    const Fashion data(samples);
    GraphModule model(zoo::build("fashion_resnet20"));
    Lottery lottery(model, data.train,
                    {.optimizer = {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-4},
                     .training = {.epochs = 2,
                                  .learning_rate = {.schedule = RateSchedule::cosine},
                                  .validation = data.valid,
                                  .on_epoch = print_epoch},
                     .sparsify = sparsity::SparsifyOptions{.sparsity = 1 - std::pow(0.8, 5)},
                     .rounds = 5,
                     .go_on = [](const LotteryRound& round) {
                       std::printf("Round %d: %lld of %lld parameters are not zero\n", round.round,
                                   static_cast<long long>(round.nonzero), static_cast<long long>(round.parameters));
                       return true;
                     }});
    for (const LotteryRound& round : lottery.run())
      std::printf("Round %d: %lld parameters that are not zero, held-out accuracy %.2f %%\n", round.round,
                  static_cast<long long>(round.nonzero),
                  100 * round.history.epochs.back().validation->value("accuracy"));
    save_ticket(lottery.ticket(), "fashion.ticket");
    std::printf("Written: fashion.ticket, the first weights and the masks\n");
  });
}
