#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/torch/pruner.hpp"
#include "coppice/train/distillation.hpp"
#include "coppice/train/learning_rate.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/precision.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/sparsify_callback.hpp"

/// The whole way from data to a pruned ONNX file, as data: a TOML file whose keys are named as the members here.
namespace coppice::recipe {

/// [data]
struct Data {
  std::string training;          ///< What data::read() takes.
  std::string test;              ///< The same, its part for tests; measured at the end of stages, never chosen by.
  double held_out = 0.1;         ///< Share of the training data set aside: all choices are made on it.
  std::int64_t batch_size = 64;  ///< For training; evaluations take larger ones.
  int workers = 0;
  std::vector<double> mean, deviation;  ///< Inputs are normalised by these, by channel; empty: not at all.
  /// Side of the pieces that pictures are cropped to: from anywhere while training, else from the middle; 0: not at
  /// all.
  std::int64_t crop = 0;
  double random_scale = 0;        ///< While training, of the crop: see data::random_resized_crop(); 0: as it is.
  std::int64_t random_shift = 0;  ///< While training: see data::random_shift.
  bool random_flip = false;
  bool skip_damaged = false;  ///< Records that cannot be read are left out and counted: see data::Damaged.
};

/// [model]: one of the two.
struct Model {
  std::string file;  ///< ONNX.
  std::string zoo;   ///< An architecture of the zoo, with fresh weights.
};

/// A table `distillation` in [prune] or [recover]: the teacher is the model that pruning began with.
struct Distillation {
  DistillationKind kind = DistillationKind::soft_target;  ///< One that needs no activations.
  double temperature = 4, alpha = 0.5;
};

/// [train], [recover], and the part of [prune] that trains.
struct Training {
  std::int64_t epochs = 0;
  OptimizerOptions optimizer;
  LearningRate learning_rate{.schedule = RateSchedule::cosine};
  std::string loss = "cross-entropy";  ///< Or "mse", "binary-cross-entropy".
  double label_smoothing = 0;
  double clip_norm = 0;
  std::int64_t accumulate = 1;
  Precision precision = Precision::float32;
  bool keep_best = false;  ///< End with the epoch that did best by the first metric on the data set aside.
  std::optional<Distillation> distillation{};
};

enum class Method {
  none,
  one_shot,   ///< All at once, without training.
  gradual,    ///< While training for `training.epochs`: see PruneCallback.
  iterative,  ///< A little at a time, and `training.epochs` of training after each: see IterativePruner.
};

/// [prune]
struct Pruning {
  Method method = Method::none;
  PrunerOptions pruner;
  PruneWindow window;
  int calibration_batches = 4;             ///< Of training data, for criteria that look at data outside a training.
  std::int64_t recalibration_batches = 0;  ///< That batch norms see after a single shot: see recalibrate_batch_norm().
  int iterations = 5;
  /// What the first metric may lose on the data set aside, iterative only: 0.01 is a point of accuracy. Nothing:
  /// anything.
  std::optional<double> most_lost{};
  int backoffs = 3;
  double backoff = 0.5;
  Training training;
};

enum class SparsifyMethod {
  one_shot,   ///< All at once, without training.
  gradual,    ///< While training for `training.epochs`: see SparsifyCallback.
  iterative,  ///< In `rounds`, each the same share of what is left, with `training.epochs` of training after each.
  lottery,    ///< The same, but each with the training of [train] anew, from the weights before it: see Lottery.
};

/// [sparsify]: weights become zero, after [prune]; [recover] keeps them so.
struct Sparsify {
  SparsifyMethod method = SparsifyMethod::gradual;
  sparsity::SparsifyOptions what;
  /// In place of what.criterion, one that looks at `calibration_batches` of training data; not with gradual.
  std::optional<Criterion> criterion{};
  int calibration_batches = 4;
  SparsifySchedule when;
  Training training;
  int rounds = 3;
  std::int64_t rewind_epoch = 0;  ///< Of [train]: a round begins with the weights and the rate of then.
};

/// [evaluate]
struct Evaluate {
  std::vector<std::string> metrics{"accuracy"};  ///< "accuracy", "perplexity", "top5" and the like.
  /// Also, at the same budget, random choice of the channels ("random") and the pruned architecture trained from fresh
  /// weights for as many epochs as all stages together ("scratch"); and the latter as [train] says ("short"), if it
  /// says anything: what the small network would have been in place of the large one.
  bool baselines = false;
};

/// [export]: file names within the folder of the run.
struct Export {
  std::string onnx = "pruned.onnx";
};

struct Recipe {
  std::uint64_t seed = 0;
  int seeds = 1;  ///< The whole way is gone with seed, seed + 1...: results have a mean and a spread.
  Data data;
  Model model;
  Training train;
  Pruning prune;
  std::optional<Sparsify> sparsify;
  Training recover;
  Evaluate evaluate;
  Export output;
  std::string fingerprint;  ///< The text that it was read from: tells the results of recipes apart.
  /// What the trained network depends on: seed, [data], [model], [train] and the metrics, in one writing. Recipes of
  /// which this is equal train the same networks.
  std::string beginning;
};

/// Reads a recipe. Relative paths in it stay as they are. Throws Error that names line and key: for what is no TOML,
/// unknown keys (with the nearest known ones), values of the wrong type or out of range, and missing ones.
Recipe parse(std::string_view toml, const std::string& where = "recipe");
Recipe read(const std::string& path);

}  // namespace coppice::recipe
