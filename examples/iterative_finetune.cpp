// Iterative pruning with fine-tuning: cut a little, train, look whether the accuracy is acceptable, and go on; a round
// that costs too much is taken back and tried at a smaller rate.
//   iterative_finetune [SAMPLES]      (pictures of Fashion-MNIST; default 6,000)
#include <cstdio>

#include <coppice/torch/graph_module.hpp>
#include <coppice/train/iterative_pruner.hpp>
#include <coppice/zoo/zoo.hpp>
#include <torch/torch.h>

#include "fashion.hpp"

using namespace coppice;

int main(int count, char** arguments) {
  return run_example(count, arguments, [](const std::string& samples) {
    const Fashion data(samples);
    GraphModule model(zoo::build("fashion_resnet20"));

    std::printf("Train the dense model\n");
    const OptimizerOptions sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-4};
    const auto optimizer = make_optimizer(sgd, model.parameters());
    Trainer(model, *optimizer, data.train,
            {.epochs = 3,
             .learning_rate = {.schedule = RateSchedule::one_cycle},
             .validation = data.valid,
             .on_epoch = print_epoch})
        .fit();

    // 60 % in four rounds: each takes 1 - (1 - 0.6)^(1/4) = 20.5 % of what is left.
    IterativePruner pruner(
        model, data.train,
        {.pruning = {.pruning_ratio = 60, .context = Context::global, .criterion = large_final},
         .iterations = 4,
         .optimizer = {.learning_rate = 0.02, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-4},
         .tuning = {.epochs = 1,
                    .learning_rate = {.schedule = RateSchedule::cosine},
                    .validation = data.valid,
                    .on_epoch = print_epoch},
         .acceptable = [](const Evaluation& base,
                          const Evaluation& now) { return now.value("accuracy") > base.value("accuracy") - 0.05; },
         .on_iteration =
             [](const IterativeRecord& round) {
               std::printf(
                   "Iteration %d: rate %.1f %%, sparsity %.1f %%, accuracy %.2f %% after the cut, %.2f %% after "
                   "fine-tuning%s\n",
                   round.iteration, 100 * round.rate, 100 * round.sparsity, 100 * round.after_cut->value("accuracy"),
                   100 * round.after_tuning->value("accuracy"), round.accepted ? "" : ": taken back");
             }});
    const IterativeReport& report = pruner.run();
    std::printf("\n%s", report.text().c_str());

    // Only now, and once.
    std::printf("\nTest accuracy of the pruned model: %.2f %%\n", 100 * evaluate(model, data.test).value("accuracy"));
  });
}
