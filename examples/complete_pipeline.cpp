// The complete pipeline: train, prune gradually with the dense model as a teacher, measure, export.
//   complete_pipeline [SAMPLES]      (pictures of Fashion-MNIST; default 6,000)
#include <cstdio>
#include <memory>

#include <coppice/formats/onnx.hpp>
#include <coppice/torch/graph_module.hpp>
#include <coppice/torch/metrics.hpp>
#include <coppice/train/distillation.hpp>
#include <coppice/train/keep_best.hpp>
#include <coppice/train/optimizer.hpp>
#include <coppice/train/prune_callback.hpp>
#include <coppice/train/trainer.hpp>
#include <coppice/zoo/zoo.hpp>
#include <torch/torch.h>

#include "fashion.hpp"

using namespace coppice;

namespace {

void fit(GraphModule& model, const Fashion& data, std::int64_t epochs, double rate,
         std::vector<std::shared_ptr<Callback>> callbacks) {
  const auto optimizer =
      make_optimizer({.learning_rate = rate, .momentum = 0.9, .weight_decay = 1e-4}, model.parameters());
  Trainer(model, *optimizer, data.train,
          {.epochs = epochs,
           .learning_rate = {.schedule = RateSchedule::cosine},
           .validation = data.valid,
           .callbacks = std::move(callbacks),
           .on_epoch = print_epoch})
      .fit();
}

}  // namespace

int main(int count, char** arguments) {
  return run_example(count, arguments, [](const std::string& samples) {
    const Fashion data(samples);
    const std::vector<at::Tensor> example{at::zeros({1, 1, 28, 28})};
    GraphModule model(zoo::build("fashion_resnet20"));

    std::printf("1. Train the dense model\n");
    fit(model, data, 3, 0.05, {std::make_shared<KeepBest>()});
    const Metrics dense = measure(model, example, 0);
    const double dense_accuracy = evaluate(model, data.valid).value("accuracy");

    std::printf("2. Prune gradually to half the compute, with the dense model as the teacher\n");
    const auto teacher = std::make_shared<GraphModule>(model.model());
    const auto distil = std::make_shared<DistillationCallback>(
        DistillationOptions{.teacher = Callable(teacher), .temperature = 4, .alpha = 0.7});
    const auto prune = std::make_shared<PruneCallback>(
        PrunerOptions{.context = Context::global, .schedule = Schedule::agp, .target_macs = 0.5},
        PruneWindow{.start = 0.1, .end = 0.7});
    fit(model, data, 3, 0.03, {prune, distil});

    std::printf("3. Recover\n");
    fit(model, data, 2, 0.01, {distil, std::make_shared<KeepBest>()});

    std::printf("4. Measure and export\n");
    const Metrics pruned = measure(model, example, 0);
    std::printf("%s\n", ratio_line(dense, pruned).c_str());
    std::printf("Held-out accuracy: %.2f %% dense, %.2f %% pruned\n", 100 * dense_accuracy,
                100 * evaluate(model, data.valid).value("accuracy"));
    formats::write_onnx(model.model(), "fashion_pruned.onnx");
    std::printf("Written: fashion_pruned.onnx\n");
  });
}
