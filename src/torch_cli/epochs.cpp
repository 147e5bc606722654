#include "torch_cli/epochs.hpp"

#include <cstdio>

#include "coppice/analysis/text.hpp"

#include "train/recipe/choices.hpp"

namespace coppice::cli {
namespace {

std::string shown(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string numbers(const Evaluation& evaluation, const char* loss) {
  std::string out = evaluation.loss ? loss + shown("%.4f", *evaluation.loss) : "";
  for (const auto& [name, value] : evaluation.metrics)
    out += (out.empty() ? "" : ", ") + name + " " +
           (recipe::is_share(name) ? shown("%.2f %%", 100 * value) : shown("%.4f", value));
  return out;
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation) {
  return numbers(evaluation, "loss ");
}

std::string epoch_line(const EpochRecord& epoch) {
  std::string out = "epoch " + std::to_string(epoch.epoch + 1) + ": loss " + shown("%.4f", epoch.training_loss);
  if (epoch.validation) out += ", held-out " + numbers(*epoch.validation, "");  // a line has 80 columns
  for (const auto& [name, value] : epoch.values)
    if (name == "sparsity") out += ", sparsity " + shown("%.2f %%", value);
  return out + ", " + shown("%.1f s", epoch.seconds);
}

std::string stage_line(std::int64_t parameters, double macs, const Evaluation& held_out) {
  return analysis::with_separators(parameters) + " parameters, " + analysis::short_count(macs) + " MACs, held-out " +
         evaluation_text(held_out);
}

}  // namespace coppice::cli
