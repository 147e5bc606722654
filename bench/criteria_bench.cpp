// How much of a network's accuracy is left right after a cut, without any training, by criterion: the same share of the
// MACs goes, so the widths are the same, and only the choice of the channels differs. Networks that were trained from
// different seeds tell what a criterion is worth; pairs with large_final on the same network, how sure that is.
//   criteria_bench A.onnx B.onnx... [--keep 0.68,0.5] [--samples 256] [--draws 1] [--criteria taylor,hessian]
// Pictures are those of Fashion-MNIST: training pictures to calibrate on, test pictures for the accuracy.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

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
  std::vector<std::string> models, criteria{"random",          "l2",
                                            "gradient",        "taylor",
                                            "hessian",         "taylor_multi_variable",
                                            "activation_norm", "activation_magnitude"};
  std::vector<double> keep{0.8, 0.68, 0.5};
  std::string context = "local";      // what competes with what
  std::string reduction, normalizer;  // of criteria that look at data; empty: what the context usually takes
  int steps = 1;                      // scores are taken anew after each
  int draws = 1;                      // of calibration pictures, or of random's channels, for each network
  int samples = 256;                  // pictures in a draw
  int tests = 10000;                  // test pictures
  int recalibration = 0;              // batches of 250 that batch norm's statistics are taken from anew after the cut
};

const std::string reference = "large_final";

struct Spread {
  double mean = 0, deviation = 0;
};

Spread spread(const std::vector<double>& values) {
  Spread out;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) out.mean += value / count;
  for (const double value : values) out.deviation += (value - out.mean) * (value - out.mean);
  out.deviation = values.size() > 1 ? std::sqrt(out.deviation / (count - 1)) : 0;
  return out;
}

/// Accuracies by share that is kept and criterion: one for each network and draw, in that order.
using Results = std::map<double, std::map<std::string, std::vector<double>>>;

class Trial {
 public:
  explicit Trial(const Setting& setting)
      : setting_(setting),
        training_(data::read_idx_folder(data::fashion_mnist_folder, data::Part::training)),
        test_(data::Loader(data::read_idx_folder(data::fashion_mnist_folder, data::Part::test, setting.tests),
                           {.batch_size = 500, .shuffled = false})) {}

  double accuracy(GraphModule& module) const {
    const at::NoGradGuard no_gradients;
    module.eval();
    std::int64_t right = 0, all = 0;
    test_.for_each([&](const Batch& batch) {
      right += module.forward(batch.inputs[0]).argmax(1).eq(batch.target).sum().item<std::int64_t>();
      all += batch.target.size(0);
      return true;
    });
    return 100.0 * static_cast<double>(right) / static_cast<double>(all);
  }

  /// All criteria on one network with one draw.
  void run(const graph::Model& model, std::uint64_t seed, Results& results) const {
    const pruning::Prepared prepared = pruning::prepare(model);
    const std::vector<std::uint8_t> none(prepared.couplings.units().size(), 0);
    const Evidence evidence = collect_all(prepared, none, seed);
    for (const double keep : setting_.keep) {
      add(model, reference, keep, seed, evidence, results);
      for (const std::string& name : setting_.criteria) add(model, name, keep, seed, evidence, results);
    }
  }

 private:
  Evidence collect_all(const pruning::Prepared& prepared, std::span<const std::uint8_t> removed,
                       std::uint64_t seed) const {
    CriterionOptions needs;
    for (const std::string& name : setting_.criteria) {
      const Criterion criterion = parse_criterion(name);
      needs.gradient |= criterion.options().gradient;
      needs.squared_gradient |= criterion.options().squared_gradient;
      needs.input_norm |= criterion.options().input_norm;
      needs.output_norm |= criterion.options().output_norm;
    }
    if (!needs.needs_data()) return {};
    GraphModule module(pruning::twin(prepared, removed));
    return collect(module, prepared, needs,
                   {.data = data::Loader(training_, {.batch_size = setting_.samples, .seed = seed}),
                    .loss = cross_entropy(),
                    .batches = 1});
  }

  void add(const graph::Model& model, const std::string& name, double keep, std::uint64_t seed,
           const Evidence& evidence, Results& results) const {
    const Criterion criterion = parse_criterion(name);
    pruning::Prepared prepared = pruning::prepare(model);
    pruning::SelectOptions options{.context = pruning::parse_context(setting_.context),
                                   .steps = setting_.steps,
                                   .target_macs = keep,
                                   .seed = seed};
    if (criterion.weights_only()) {
      options.criterion = *criterion.weights_only();
    } else {
      if (!setting_.reduction.empty()) options.reduction = importance::parse_reduction(setting_.reduction);
      if (!setting_.normalizer.empty()) options.normalizer = importance::parse_normalizer(setting_.normalizer);
      options.measure = [&](const pruning::Prepared& whole, std::span<const std::uint8_t> removed) {
        const bool uncut = std::find(removed.begin(), removed.end(), 1) == removed.end();
        return make_measure(criterion, whole, removed, uncut ? evidence : collect_all(whole, removed, seed));
      };
    }
    GraphModule cut(pruning::cut(prepared, pruning::select(prepared, options).removed));
    recalibrate(cut);
    results[keep][name].push_back(accuracy(cut));
  }

  void recalibrate(GraphModule& module) const {
    if (setting_.recalibration == 0) return;
    const at::NoGradGuard no_gradients;
    module.train();
    int done = 0;
    BatchSource(data::Loader(training_, {.batch_size = 250, .seed = 1})).for_each([&](const Batch& batch) {
      module.forward(batch.inputs[0]);
      return ++done < setting_.recalibration;
    });
  }

  const Setting& setting_;
  data::DatasetPtr training_;
  BatchSource test_;
};

void print(const Setting& setting, const Results& results) {
  for (const auto& [keep, by_criterion] : results) {
    std::printf("\n%.0f %% of the MACs left\n%-22s %16s %8s %8s   minus %s\n", 100 * keep, "criterion", "accuracy",
                "least", "most", reference.c_str());
    const std::vector<double>& base = by_criterion.at(reference);
    const auto line = [&](const std::string& name) {
      const std::vector<double>& values = by_criterion.at(name);
      std::vector<double> differences;
      for (std::size_t i = 0; i < values.size(); ++i) differences.push_back(values[i] - base[i]);
      const Spread found = spread(values), difference = spread(differences);
      const auto [least, most] = std::minmax_element(values.begin(), values.end());
      std::printf("%-22s %7.2f +- %5.2f %8.2f %8.2f", name.c_str(), found.mean, found.deviation, *least, *most);
      if (name != reference)
        std::printf(
            "   %+6.2f +- %5.2f, above in %d of %zu", difference.mean, difference.deviation,
            static_cast<int>(std::count_if(differences.begin(), differences.end(), [](double d) { return d > 0; })),
            differences.size());
      std::printf("\n");
    };
    line(reference);
    for (const std::string& name : setting.criteria) line(name);
  }
}

void bench(const Setting& setting) {
  const Trial trial(setting);
  Results results;
  std::vector<double> uncut;
  for (std::size_t m = 0; m < setting.models.size(); ++m) {
    const graph::Model model = formats::read_onnx(setting.models[m]);
    GraphModule module(model);
    uncut.push_back(trial.accuracy(module));
    for (int draw = 0; draw < setting.draws; ++draw)
      trial.run(model, 1000 * m + static_cast<std::uint64_t>(draw), results);
    std::fprintf(stderr, "%s: done\n", setting.models[m].c_str());
  }
  std::printf("uncut: %.2f +- %.2f\n", spread(uncut).mean, spread(uncut).deviation);
  print(setting, results);
}

}  // namespace

int main(int count, char** arguments) {
  Setting setting;
  CLI::App app("Accuracy right after a cut, by criterion");
  app.add_option("MODEL", setting.models, "Networks for Fashion-MNIST with equal layers")->required();
  app.add_option("--keep", setting.keep, "Shares of the MACs")->delimiter(',');
  app.add_option("--context", setting.context, "What competes with what")->capture_default_str();
  app.add_option("--steps", setting.steps, "Steps, each on scores of what is left")->capture_default_str();
  app.add_option("--reduction", setting.reduction, "Of criteria that look at data");
  app.add_option("--normalizer", setting.normalizer, "Of criteria that look at data");
  app.add_option("--draws", setting.draws, "Draws for each network")->capture_default_str();
  app.add_option("--samples", setting.samples, "Calibration pictures in a draw")->capture_default_str();
  app.add_option("--tests", setting.tests, "Test pictures")->capture_default_str();
  app.add_option("--recalibrate", setting.recalibration, "Batches that batch norm sees after the cut")
      ->capture_default_str();
  app.add_option("--criteria", setting.criteria, "Compared with large_final")->delimiter(',');
  CLI11_PARSE(app, count, arguments);
  try {
    bench(setting);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
