#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"
#include "coppice/train/distillation.hpp"

#include "torch/messages.hpp"

namespace coppice {
namespace {

constexpr base::Names<DistillationKind, 5> names{{{DistillationKind::soft_target, "soft_target"},
                                                  {DistillationKind::logits, "logits"},
                                                  {DistillationKind::decoupled, "decoupled"},
                                                  {DistillationKind::attention, "attention"},
                                                  {DistillationKind::fitnet, "fitnet"}}};

void expect_alike(const char* what, const at::Tensor& student, const at::Tensor& teacher) {
  if (student.dim() < 2 || student.sizes() != teacher.sizes())
    throw Error(std::string(what) + ": expected logits of one shape, samples by classes, found " +
                shape_text(student.sizes()) + " of the student and " + shape_text(teacher.sizes()) + " of the teacher");
}

// Rows of classes: samples, and positions where there are further axes.
at::Tensor rows(const at::Tensor& logits) {
  return logits.movedim(1, -1).reshape({-1, logits.size(1)});
}

// KL(p || q), the mean over the rows, from logarithms, which a softmax of finite numbers keeps finite.
at::Tensor divergence(const at::Tensor& log_p, const at::Tensor& log_q) {
  return (log_p.exp() * (log_p - log_q)).sum(1).mean();
}

// Of every row: a unit vector over the positions.
at::Tensor attention_map(const at::Tensor& activation) {
  const at::Tensor energy = activation.square().mean(1).flatten(1);
  return energy / energy.norm(2, {1}, true).clamp_min(1e-12);
}

}  // namespace

std::string_view to_string(DistillationKind kind) {
  return base::find_name(names, kind);
}

DistillationKind parse_distillation(std::string_view text) {
  return base::parse_name("distillation", names, text);
}

at::Tensor soft_target_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  expect_alike("soft targets", student, teacher);
  return divergence(at::log_softmax(rows(teacher.detach()) / temperature, 1),
                    at::log_softmax(rows(student) / temperature, 1)) *
         (temperature * temperature);
}

at::Tensor decoupled_loss(const at::Tensor& student, const at::Tensor& teacher, const at::Tensor& target,
                          double temperature, double target_weight, double others_weight) {
  expect_alike("decoupled distillation", student, teacher);
  const std::int64_t classes = student.size(1);
  if (target.is_floating_point() || target.numel() * classes != student.numel() || classes < 2)
    throw Error("decoupled distillation: expected a target of class numbers, one of two or more for each row, found " +
                std::string(c10::toString(target.scalar_type())) + " " + shape_text(target.sizes()) + " for logits " +
                shape_text(student.sizes()));
  const at::Tensor truth = at::zeros({target.numel(), classes}, target.options().dtype(at::kBool))
                               .scatter(1, target.reshape({-1, 1}).to(at::kLong), true);
  struct Parts {
    at::Tensor binary, others;
  };
  const auto parts = [&](const at::Tensor& logits) {
    const at::Tensor all = rows(logits) / temperature;
    const at::Tensor total = all.logsumexp(1, true);
    const at::Tensor others = all.masked_select(truth.logical_not()).view({-1, classes - 1});
    const at::Tensor rest = others.logsumexp(1, true);
    const at::Tensor chosen = all.masked_select(truth).view({-1, 1});
    return Parts{at::cat({chosen - total, rest - total}, 1), others - rest};
  };
  const Parts of_student = parts(student), of_teacher = parts(teacher.detach());
  return (divergence(of_teacher.binary, of_student.binary) * target_weight +
          divergence(of_teacher.others, of_student.others) * others_weight) *
         (temperature * temperature);
}

at::Tensor attention_loss(const at::Tensor& student, const at::Tensor& teacher) {
  const auto positions = [](const at::Tensor& tensor) {
    std::vector<std::int64_t> out = tensor.sizes().vec();
    if (out.size() > 1) out[1] = 1;
    return out;
  };
  if (student.dim() < 3 || positions(student) != positions(teacher))
    throw Error("attention: expected activations with samples, channels and the same positions, found " +
                shape_text(student.sizes()) + " of the student and " + shape_text(teacher.sizes()) + " of the teacher");
  return (attention_map(student) - attention_map(teacher.detach())).square().sum(1).mean();
}

}  // namespace coppice
