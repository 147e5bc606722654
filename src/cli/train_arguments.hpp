#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/model_options.hpp"

namespace coppice::cli {

/// What commands that go through data share.
struct DataArguments {
  std::string data;
  std::int64_t batch_size = 500;
  int workers = 1;
  std::vector<double> mean, deviation;
  std::int64_t crop = 0;
  bool skip_damaged = false;
};

/// What those that train have beside.
struct TrainingDataArguments {
  std::string test, held_out = "10%";
  double random_scale = 0;
  std::int64_t random_shift = 0;
  bool random_flip = false;
};

/// `coppice train` and `coppice finetune`, as written.
struct TrainArguments {
  std::string model, out, history, device;
  DataArguments data{.batch_size = 64};
  TrainingDataArguments training;
  std::int64_t epochs = 1, accumulate = 1;
  std::string optimizer = "sgd", rate_schedule = "cosine", loss = "cross-entropy", precision = "float32";
  double learning_rate = 0.01, momentum = 0.9, weight_decay = 0, warmup = 0, label_smoothing = 0, clip_norm = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> metrics{"accuracy"};
  std::string pruning_ratio, context = "local", criterion = "large_final", schedule = "agp";
  std::optional<double> start;  ///< Of the pruning, as a share of the training.
  double end = 1;
  std::string teacher, distillation = "soft_target";  ///< Of finetune.
  double temperature = 4, alpha = 0.5;
  std::string checkpoint;
  std::int64_t checkpoint_steps = 0;
  bool keep_zeros = false;
  bool resume = false, json = false;
  ModelOptions common;
};

struct EvaluateArguments {
  std::string model, loss = "cross-entropy", device;
  DataArguments data;
  bool test = false;  ///< The part of the data that is for tests.
  std::vector<std::string> metrics{"accuracy"};
  ModelOptions common;
  bool json = false;
};

struct SensitivityArguments {
  std::string model, out, loss = "cross-entropy", metric = "accuracy", criterion = "large_final", device;
  std::vector<std::string> ratios{"10%", "30%", "50%"}, ignored;
  DataArguments data;
  std::int64_t samples = 0;
  std::uint64_t seed = 0;
  ModelOptions common;
  bool json = false;
};

struct RecipeArguments {
  std::string recipe, folder, base, device;
  bool resume = false, baselines = false, json = false;
  ModelOptions common;
};

}  // namespace coppice::cli
