#include "coppice/train/evaluate.hpp"

#include <cmath>

#include <ATen/ops/topk.h>

#include "coppice/base/error.hpp"

#include "torch/class_axis.hpp"
#include "torch/scoring/batches.hpp"
#include "torch/trace/undisturbed.hpp"
#include "train/device.hpp"

namespace coppice {
namespace {

at::Tensor logits(const std::vector<at::Tensor>& outputs, const at::Tensor& target, const char* metric) {
  if (outputs.empty() || outputs[0].dim() < 2)
    throw Error(std::string(metric) + ": expected a first output with axes samples and classes, found " +
                (outputs.empty() ? "no output" : shape_text(outputs[0].sizes())));
  return classes_second(outputs[0], target);
}

at::Tensor classes(const at::Tensor& target) {
  return target.is_floating_point() ? target.argmax(1) : target;
}

at::Tensor mean_of(const at::Tensor& right) {
  return right.to(at::kDouble).mean();
}

}  // namespace

Metric accuracy() {
  return {"accuracy", [](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
            return mean_of(logits(outputs, target, "accuracy").argmax(1).eq(classes(target)));
          }};
}

Metric top_k(int k) {
  if (k < 1) throw Error("top k: expected k of 1 or more, found " + std::to_string(k));
  return {"top" + std::to_string(k), [k](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
            const at::Tensor scores = logits(outputs, target, "top k");
            if (scores.size(1) < k)
              throw Error("top " + std::to_string(k) + ": expected as many classes or more, found " +
                          std::to_string(scores.size(1)));
            const at::Tensor best = std::get<1>(at::topk(scores, k, 1));
            return mean_of(best.eq(classes(target).unsqueeze(1)).any(1));
          }};
}

Metric perplexity() {
  const auto mean = [loss = cross_entropy()](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    if (!target.defined() || target.is_floating_point())
      throw Error("perplexity: expected targets that are class numbers, found " +
                  (target.defined() ? std::string(c10::toString(target.scalar_type())) : std::string("none")));
    return loss(outputs, target);
  };
  return {"perplexity", mean, false, [](double mean_of_all) { return std::exp(mean_of_all); }};
}

double Evaluation::value(std::string_view name) const {
  if (name == "loss" && loss) return *loss;
  for (const auto& [metric, number] : metrics)
    if (metric == name) return number;
  std::string known = loss ? "loss" : "";
  for (const auto& entry : metrics) known += (known.empty() ? "" : ", ") + entry.first;
  throw Error("metric: expected one of " + known + ", found \"" + std::string(name) + "\"");
}

Evaluation evaluate(const Callable& model, const BatchSource& data, const Loss& loss,
                    const std::vector<Metric>& metrics) {
  const tracing::Undisturbed undisturbed(model.module(), true);
  const at::Device device = device_of(model.module());
  Evaluation out;
  std::vector<double> sums(metrics.size(), 0);
  double losses = 0;
  std::int64_t number = 0;
  data.for_each([&](Batch batch) {
    const std::string where = "evaluation batch " + std::to_string(number++);
    const std::int64_t samples = scoring::samples_of(batch, true, where);
    scoring::move_to(batch, device);
    scoring::guarded(where, [&] {
      const std::vector<at::Tensor> outputs = model(batch.inputs);
      if (loss) losses += loss(outputs, batch.target).item<double>() * static_cast<double>(samples);
      for (std::size_t i = 0; i < metrics.size(); ++i)
        sums[i] += metrics[i].mean(outputs, batch.target).item<double>() * static_cast<double>(samples);
    });
    out.samples += samples;
    return true;
  });
  if (out.samples == 0) throw Error("evaluation: expected data, found none");
  const auto count = static_cast<double>(out.samples);
  if (loss) out.loss = losses / count;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const double mean = sums[i] / count;
    out.metrics.emplace_back(metrics[i].name, metrics[i].finish ? metrics[i].finish(mean) : mean);
  }
  return out;
}

}  // namespace coppice
