#include "coppice/train/distillation.hpp"

#include <cmath>
#include <utility>

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/trainer.hpp"

#include "torch/class_axis.hpp"
#include "torch/trace/undisturbed.hpp"
#include "train/archive_entries.hpp"
#include "train/hints.hpp"
#include "train/watch.hpp"

namespace coppice {
namespace {

void expect(bool holds, const char* what, double found) {
  if (!holds) throw Error(std::string("distillation: expected ") + what + ", found " + std::to_string(found));
}

const at::Tensor& first(const std::vector<at::Tensor>& outputs, const char* whose) {
  if (outputs.empty()) throw Error(std::string("distillation: the ") + whose + " has no output");
  return outputs.front();
}

}  // namespace

struct DistillationCallback::State {
  explicit State(DistillationOptions given) : options(std::move(given)), hints(options.activations.size()) {
    for (const ActivationPair& pair : options.activations) {
      student_names.push_back(pair.student);
      teacher_names.push_back(pair.teacher.empty() ? pair.student : pair.teacher);
    }
  }

  struct Seen {
    std::vector<at::Tensor> outputs, activations;
  };

  Seen ask_teacher(const std::vector<at::Tensor>& inputs) {
    const tracing::Undisturbed undisturbed(teacher->module(), true);
    const Watch watching(*teacher, teacher_names);
    std::vector<at::Tensor> outputs = (*teacher)(inputs);
    return {std::move(outputs), watching.seen()};
  }

  at::Tensor loss(Trainer& trainer, const std::vector<at::Tensor>& activations, const Seen& seen) {
    const auto summed = [&](auto each) {
      at::Tensor total;
      for (std::size_t i = 0; i < activations.size(); ++i) {
        const at::Tensor one = each(i);
        total = total.defined() ? total + one : one;
      }
      return total;
    };
    switch (options.kind) {
      case DistillationKind::attention:
        return summed([&](std::size_t i) { return attention_loss(activations[i], seen.activations[i]); });
      case DistillationKind::fitnet:
        return summed(
            [&](std::size_t i) { return hints.loss(i, activations[i], seen.activations[i], trainer.optimizer()); });
      default:
        break;
    }
    const at::Tensor& target = trainer.batch().target;
    const at::Tensor student = classes_second(first(trainer.outputs(), "student"), target),
                     known = classes_second(first(seen.outputs, "teacher"), target);
    if (options.kind == DistillationKind::decoupled)
      return decoupled_loss(student, known, target, options.temperature, options.target_weight, options.others_weight);
    if (options.kind == DistillationKind::soft_target) return soft_target_loss(student, known, options.temperature);
    return mse()({student}, known);
  }

  DistillationOptions options;
  std::vector<std::string> student_names, teacher_names;
  Hints hints;
  std::optional<Callable> teacher, original;
  std::unique_ptr<Watch> watch;  ///< Of the student, from before_batch() to after_loss().
  double sum = 0;
  std::int64_t samples = 0;
};

DistillationCallback::DistillationCallback(DistillationOptions options) {
  expect(options.temperature > 0 && std::isfinite(options.temperature), "a temperature above 0", options.temperature);
  expect(options.alpha >= 0 && options.alpha <= 1, "an alpha from 0 to 1", options.alpha);
  expect(options.target_weight >= 0, "a weight of the true class of 0 or more", options.target_weight);
  expect(options.others_weight >= 0, "a weight of the other classes of 0 or more", options.others_weight);
  const bool looks = options.kind == DistillationKind::attention || options.kind == DistillationKind::fitnet;
  if (looks == options.activations.empty())
    throw Error("distillation: " + std::string(to_string(options.kind)) + ": expected " +
                (looks ? "activations to compare, found none" : "no activations, as it looks at outputs only"));
  state_ = std::make_unique<State>(std::move(options));
}

DistillationCallback::~DistillationCallback() = default;

void DistillationCallback::before_fit(Trainer& trainer) {
  State& state = *state_;
  if (state.options.teacher)
    state.teacher = *state.options.teacher;
  else
    state.teacher = state.original ? *state.original : frozen_copy(trainer.model(), trainer.example_inputs());
  if (&state.teacher->module() == &trainer.model().module())
    throw Error("distillation: expected a teacher of its own, found the student");
  state.hints.leave(trainer.optimizer());
  const Watch student(trainer.model(), state.student_names), teacher(*state.teacher, state.teacher_names);
}

void DistillationCallback::before_rounds(const std::function<Callable()>& original) {
  if (!state_->options.teacher) state_->original = original();
}

void DistillationCallback::before_epoch(Trainer&) {
  state_->sum = 0;
  state_->samples = 0;
}

void DistillationCallback::before_batch(Trainer& trainer) {
  state_->watch = std::make_unique<Watch>(trainer.model(), state_->student_names);
}

void DistillationCallback::after_loss(Trainer& trainer) {
  State& state = *state_;
  const std::vector<at::Tensor> activations = state.watch->seen();
  state.watch.reset();
  const at::Tensor found = state.loss(trainer, activations, state.ask_teacher(trainer.batch().inputs));
  trainer.loss() = state.options.alpha * found + (1 - state.options.alpha) * trainer.loss();
  const std::int64_t samples = trainer.batch().target.size(0);
  state.sum += found.item<double>() * static_cast<double>(samples);
  state.samples += samples;
}

void DistillationCallback::after_epoch(Trainer& trainer) {
  trainer.record().values.emplace_back("distillation", state_->sum / static_cast<double>(state_->samples));
}

void DistillationCallback::after_fit(Trainer& trainer) {
  state_->hints.leave(trainer.optimizer());
}

void DistillationCallback::save(torch::serialize::OutputArchive& archive) const {
  archive.write("sum", at::tensor({state_->sum, static_cast<double>(state_->samples)}, at::kDouble));
  write_named(archive, "hints", state_->hints.state());
  // The model of which the teacher was made is another by the time of a checkpoint.
  NamedTensors own;
  if (!state_->options.teacher && state_->teacher)
    for (const auto& [name, tensor] : dynamic_cast<GraphModule&>(state_->teacher->module()).constants())
      own.emplace_back(name, tensor.detach());
  write_named(archive, "teacher", own);
}

void DistillationCallback::load(torch::serialize::InputArchive& archive, Trainer& trainer) {
  at::Tensor sum;
  archive.read("sum", sum);
  if (sum.numel() != 2 || sum.scalar_type() != at::kDouble)
    throw Error("distillation: expected a sum and a number of samples, found something else");
  state_->sum = sum[0].item<double>();
  state_->samples = static_cast<std::int64_t>(sum[1].item<double>());
  state_->hints.load(read_named(archive, "hints"), trainer.optimizer());
  const NamedTensors own = read_named(archive, "teacher");
  if (own.empty() == !state_->options.teacher)
    throw Error("distillation: of another training: expected a teacher of its own in both or in none");
  if (own.empty()) return;
  const auto constants = dynamic_cast<GraphModule&>(state_->teacher->module()).constants();
  const at::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : own) {
    const auto found = constants.find(name);
    if (found == constants.end() || found->second.sizes() != tensor.sizes())
      throw Error("distillation: teacher: expected \"" + name + "\" in the shape of the checkpoint");
    at::Tensor(found->second).copy_(tensor);
  }
}

}  // namespace coppice
