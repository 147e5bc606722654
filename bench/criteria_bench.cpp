// How much of a network's accuracy is left right after a cut, without any training, by criterion: the same share of the
// MACs goes, so the widths are the same, and only the choice of the channels differs.
//   criteria_bench MODEL.onnx [KEEP [SEEDS [SAMPLES [CRITERION...]]]]
// KEEP is a share of the MACs, SAMPLES the number of pictures for calibration.
// A seed draws the calibration samples, or for `random` the channels. Test accuracy on Fashion-MNIST's 10,000 pictures.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "coppice/data/loader.hpp"
#include "coppice/data/read.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/torch/evidence.hpp"
#include "coppice/torch/graph_module.hpp"

namespace {

using namespace coppice;

struct Setting {
  std::string model;
  double keep = 0.5;
  int seeds = 5, samples = 256;
  std::vector<std::string> criteria{"random",   "large_final",     "l2",
                                    "gradient", "taylor",          "taylor_multi_variable",
                                    "hessian",  "activation_norm", "activation_magnitude"};
};

double accuracy(const graph::Model& model, const BatchSource& test) {
  GraphModule module(model);
  const at::NoGradGuard no_gradients;
  std::int64_t right = 0, all = 0;
  test.for_each([&](const Batch& batch) {
    right += module.forward(batch.inputs[0]).argmax(1).eq(batch.target).sum().item<std::int64_t>();
    all += batch.target.size(0);
    return true;
  });
  return 100.0 * static_cast<double>(right) / static_cast<double>(all);
}

class Trial {
 public:
  Trial(Setting setting)
      : setting_(std::move(setting)),
        original_(formats::read_onnx(setting_.model)),
        training_(data::read_idx_folder(data::fashion_mnist_folder, data::Part::training)),
        test_(data::Loader(data::read_idx_folder(data::fashion_mnist_folder, data::Part::test),
                           {.batch_size = 500, .shuffled = false})) {}

  double uncut() const { return accuracy(original_, test_); }

  double run(const Criterion& criterion, std::uint64_t seed, double& macs) const {
    pruning::Prepared prepared = pruning::prepare(original_);
    pruning::SelectOptions options{.target_macs = setting_.keep, .seed = seed};
    if (criterion.weights_only()) {
      options.criterion = *criterion.weights_only();
    } else {
      const Calibration calibration{.data = data::Loader(training_, {.batch_size = setting_.samples, .seed = seed}),
                                    .loss = cross_entropy(),
                                    .batches = 1};
      options.measure = [&, calibration](const pruning::Prepared& whole, std::span<const std::uint8_t> removed) {
        GraphModule module(pruning::twin(whole, removed));
        return make_measure(criterion, whole, removed, collect(module, whole, criterion.options(), calibration));
      };
    }
    const auto removed = pruning::select(prepared, options).removed;
    macs = pruning::count(prepared, removed).macs / pruning::count(prepared).macs;
    return accuracy(pruning::cut(prepared, removed), test_);
  }

 private:
  Setting setting_;
  graph::Model original_;
  data::DatasetPtr training_;
  BatchSource test_;
};

void bench(const Setting& setting) {
  const Trial trial(setting);
  std::printf("uncut: %.2f %%\n", trial.uncut());
  std::printf("%-22s %6s %8s %8s %8s %8s\n", "criterion", "MACs", "mean", "spread", "least", "most");
  for (const std::string& name : setting.criteria) {
    std::vector<double> found;
    double macs = 0;
    for (int seed = 0; seed < setting.seeds; ++seed)
      found.push_back(trial.run(parse_criterion(name), static_cast<std::uint64_t>(seed), macs));
    double mean = 0, squares = 0;
    for (const double value : found) mean += value / static_cast<double>(found.size());
    for (const double value : found) squares += (value - mean) * (value - mean);
    const double spread = found.size() > 1 ? std::sqrt(squares / static_cast<double>(found.size() - 1)) : 0;
    const auto [least, most] = std::minmax_element(found.begin(), found.end());
    std::printf("%-22s %5.1f%% %7.2f%% %7.2f%% %7.2f%% %7.2f%%\n", name.c_str(), 100 * macs, mean, spread, *least,
                *most);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: criteria_bench MODEL.onnx [KEEP [SEEDS [SAMPLES [CRITERION...]]]]\n");
    return 2;
  }
  try {
    Setting setting{arguments[1]};
    if (count > 2) setting.keep = std::atof(arguments[2]);
    if (count > 3) setting.seeds = std::atoi(arguments[3]);
    if (count > 4) setting.samples = std::atoi(arguments[4]);
    if (count > 5) setting.criteria.assign(arguments + 5, arguments + count);
    bench(setting);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
