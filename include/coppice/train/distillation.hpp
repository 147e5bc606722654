#pragma once
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/torch/callable.hpp"
#include "coppice/train/callback.hpp"

namespace coppice {

/// What a student learns from its teacher, beside the task.
enum class DistillationKind {
  soft_target,  ///< T^2 KL(softmax(teacher / T) || softmax(student / T)) (Hinton et al., Distilling the Knowledge in a
                ///< Neural Network, 2015).
  logits,       ///< The mean squared difference of the first outputs (Ba and Caruana, Do Deep Nets Really Need to be
                ///< Deep, 2014).
  decoupled,    ///< The two parts of soft_target, of the true class and among the others, weighed apart (Zhao et al.,
                ///< Decoupled Knowledge Distillation, 2022).
  attention,  ///< Where activations are large, whatever their channels (Zagoruyko and Komodakis, Paying More Attention
              ///< to Attention, 2017).
  fitnet,     ///< The activations themselves (Romero et al., FitNets: Hints for Thin Deep Nets, 2015).
};

std::string_view to_string(DistillationKind kind);
/// Throws Error, which lists the names, on any other text.
DistillationKind parse_distillation(std::string_view text);

// The losses, of activations with samples along the first axis and channels or classes along the second. Those of
// logits are means over the samples, and over positions where there are further axes. Gradients go to the student only.

at::Tensor soft_target_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature = 4);
/// T^2 (target_weight TCKD + others_weight NCKD), with T the temperature: TCKD is KL over the true class against all
/// others, NCKD is KL among the others. `target` are the numbers of the true classes.
at::Tensor decoupled_loss(const at::Tensor& student, const at::Tensor& teacher, const at::Tensor& target,
                          double temperature = 4, double target_weight = 1, double others_weight = 8);
/// |q_s - q_t|^2, the mean over the samples, where q is the mean of the squared activation over its channels, as a
/// vector of length 1 over all positions. Numbers of channels may differ, positions may not.
at::Tensor attention_loss(const at::Tensor& student, const at::Tensor& teacher);

/// Two activations to be compared: names of values of a GraphModule's graph, or paths of Tap modules.
struct ActivationPair {
  std::string student;
  std::string teacher{};  ///< Empty: the same name.
};

struct DistillationOptions {
  /// Nothing: the model as fit() finds it, as frozen_copy() makes it; in the rounds of an IterativePruner, each of
  /// which finds a smaller one, the model as it came.
  std::optional<Callable> teacher{};
  DistillationKind kind = DistillationKind::soft_target;
  double temperature = 4;
  double alpha = 0.5;                           ///< The loss is alpha distillation + (1 - alpha) that of the task.
  double target_weight = 1, others_weight = 8;  ///< Of `decoupled`.
  std::vector<ActivationPair> activations{};    ///< Of `attention` and `fitnet`: their losses are summed.
};

/// Training with a teacher, who sees the same batches: in evaluation mode, without gradients, once a batch; its
/// weights, buffers and training flags, and libtorch's generators, stay as they were. Every epoch's record gets
/// "distillation": the mean of the distillation's part of the loss, before alpha.
///
/// `fitnet` compares activations directly while they are equally wide. Where the student's are not, now or after a cut,
/// a matrix over the channels (a convolution of 1x1) maps them to the teacher's. It begins as the least-squares
/// solution on the batch at hand, learns with the optimizer's first group of parameters, and goes when the training
/// ends.
class DistillationCallback : public Callback {
 public:
  /// Throws Error for options out of range, and for kinds that need activations and have none.
  explicit DistillationCallback(DistillationOptions options = {});
  ~DistillationCallback() override;

  /// Throws Error when the teacher is the student, for names of activations that do not exist, and as frozen_copy()
  /// does.
  void before_fit(Trainer& trainer) override;
  void before_rounds(const std::function<Callable()>& original) override;
  void before_epoch(Trainer& trainer) override;
  void before_batch(Trainer& trainer) override;
  void after_loss(Trainer& trainer) override;
  void after_epoch(Trainer& trainer) override;
  void after_fit(Trainer& trainer) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive, Trainer& trainer) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A copy of what the model computes in evaluation mode, as it is now; its parameters require no gradients. Of a
/// GraphModule, of its graph; of others, a GraphModule of their trace on the inputs: it takes any number of samples,
/// has no Tap, and runs wherever the model does. Throws Error as onnx_model() does.
Callable frozen_copy(const Callable& model, const std::vector<at::Tensor>& example_inputs);

namespace distillation {
std::shared_ptr<torch::nn::Module> frozen_clone(const torch::nn::Module& module);
}

/// A clone, in evaluation mode and without gradients, of a module that has clone() (torch::nn::Cloneable). Throws Error
/// for others.
template <std::derived_from<torch::nn::Module> Impl>
Callable frozen_copy(const std::shared_ptr<Impl>& model) {
  return Callable(std::dynamic_pointer_cast<Impl>(distillation::frozen_clone(*model)));
}
template <class Impl>
Callable frozen_copy(const torch::nn::ModuleHolder<Impl>& model) {
  return frozen_copy(model.ptr());
}

}  // namespace coppice
