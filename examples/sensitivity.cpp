// Which layers can be cut, and how far: one group at a time, and ratios by layer from what was found.
//   sensitivity [SAMPLES]      (pictures of Fashion-MNIST; default 6,000)
#include <cstdio>

#include <coppice/torch/graph_module.hpp>
#include <coppice/train/optimizer.hpp>
#include <coppice/train/sensitivity.hpp>
#include <coppice/train/trainer.hpp>
#include <coppice/zoo/zoo.hpp>
#include <torch/torch.h>

#include "fashion.hpp"

using namespace coppice;

int main(int count, char** arguments) {
  return run_example(count, arguments, [](const std::string& samples) {
    const Fashion data(samples);
    GraphModule model(zoo::build("fashion_resnet20"));
    const auto optimizer = make_optimizer({.learning_rate = 0.05, .weight_decay = 1e-4}, model.parameters());
    Trainer(model, *optimizer, data.train,
            {.epochs = 2,
             .learning_rate = {.schedule = RateSchedule::cosine},
             .validation = data.valid,
             .on_epoch = print_epoch})
        .fit();

    const Sensitivity found = measure_sensitivity(model, data.valid, {.ratios = {10, 30, 50}});
    std::printf("%s\n", found.text().c_str());

    Pruner look(model);
    const LayerRatios ratios = analysis::layer_ratios(found, look.prepared(), {.target_macs = 0.6});
    Pruner pruner(model, {.pruning_ratio = ratios});
    const PruneStep& step = pruner.prune_model();
    std::printf("%.0f %% of the compute is left, held-out accuracy %.2f %% without any training\n",
                100 * step.macs / step.macs_before, 100 * evaluate(model, data.valid).value("accuracy"));
  });
}
