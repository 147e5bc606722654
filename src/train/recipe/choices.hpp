#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/torch/calibration.hpp"
#include "coppice/train/callback.hpp"
#include "coppice/train/evaluate.hpp"
#include "coppice/train/recipe.hpp"

namespace coppice::recipe {

/// "cross-entropy", "mse" or "binary-cross-entropy". Throws Error, which lists the names, on any other text.
Loss make_loss(const std::string& name, double label_smoothing);
/// The first of [train], [recover], [sparsify] and [prune] that trains.
const Training& main_training(const Recipe& recipe);

/// "accuracy", "perplexity", or "top" and a number. Throws Error on any other text.
Metric make_metric(const std::string& name);
/// Whether people read the metric of this name in percent.
bool is_share(std::string_view metric);
std::vector<Metric> make_metrics(const std::vector<std::string>& names);

/// Distillation from the ONNX model in a file, on `device`.
std::shared_ptr<Callback> distil_from(const std::string& teacher, const Distillation& options, at::Device device);

}  // namespace coppice::recipe
