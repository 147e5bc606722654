// The complete pipeline: train, make nine weights in ten zero bit by bit with the dense model as a teacher, recover,
// measure, export. In place of zeros a PruneCallback cuts channels in the same way: prune_callback.cpp.
//   complete_pipeline [SAMPLES]      (pictures of Fashion-MNIST; default 6,000)
#include <cstdio>
#include <memory>

#include <coppice/formats/onnx.hpp>
#include <coppice/torch/graph_module.hpp>
#include <coppice/train/distillation.hpp>
#include <coppice/train/keep_best.hpp>
#include <coppice/train/optimizer.hpp>
#include <coppice/train/sparsify_callback.hpp>
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
    GraphModule model(zoo::build("fashion_resnet20"));

    std::printf("1. Train the dense model\n");
    fit(model, data, 3, 0.05, {std::make_shared<KeepBest>()});
    const double dense_accuracy = evaluate(model, data.valid).value("accuracy");

    std::printf("2. Gradual magnitude pruning to 90 %%, with the dense model as the teacher\n");
    const auto teacher = std::make_shared<GraphModule>(model.model());
    const auto distil = std::make_shared<DistillationCallback>(
        DistillationOptions{.teacher = Callable(teacher), .temperature = 4, .alpha = 0.7});
    const auto gradual = std::make_shared<SparsifyCallback>(
        sparsity::SparsifyOptions{.sparsity = 0.9},
        SparsifySchedule{
            .schedule = Schedule::agp, .window = {.start = 0.05, .end = 0.7}, .initial = 0, .frequency = 10});
    fit(model, data, 3, 0.03, {gradual, distil});

    std::printf("3. Recover\n");
    const auto zeros = std::make_shared<SparsifyCallback>(FixedMasks{gradual->masks()});
    fit(model, data, 2, 0.01, {zeros, distil, std::make_shared<KeepBest>()});

    std::printf("4. Measure and export\n");
    double kept = 0, all = 0;
    for (const auto& [name, mask] : gradual->masks()) {
      kept += mask.sum().item<double>();
      all += static_cast<double>(mask.numel());
    }
    std::printf("Zero: %.2f %% of %.0f weights\n", 100 * (1 - kept / all), all);
    std::printf("Held-out accuracy: %.2f %% dense, %.2f %% sparse\n", 100 * dense_accuracy,
                100 * evaluate(model, data.valid).value("accuracy"));
    formats::write_onnx(model.model(), "fashion_sparse.onnx");
    std::printf("Written: fashion_sparse.onnx\n");
  });
}
