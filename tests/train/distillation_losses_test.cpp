#include <cmath>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/base/error.hpp"
#include "coppice/train/distillation.hpp"

namespace coppice {
namespace {

at::Tensor numbers(std::vector<float> values, at::IntArrayRef shape) {
  return at::tensor(values).view(shape);
}

// Logits whose softmax at temperature 2 is (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2).
const float ln2 = std::log(2.0F);
at::Tensor teacher_logits() {
  return numbers({2 * ln2, 0, 0}, {1, 3});
}
at::Tensor student_logits() {
  return numbers({0, 0, 2 * ln2}, {1, 3});
}

TEST(DistillationLoss, SoftTargets) {
  // KL = 1/2 log 2 + 0 + 1/4 log(1/2) = log(2) / 4, times T^2.
  EXPECT_NEAR(soft_target_loss(student_logits(), teacher_logits(), 2).item<double>(), std::log(2.0), 1e-6);
  EXPECT_NEAR(soft_target_loss(teacher_logits(), teacher_logits(), 2).item<double>(), 0, 1e-7);
  // The mean over samples, and over positions: these agree in one of two.
  const at::Tensor one = at::cat({student_logits(), teacher_logits()}),
                   two = at::cat({teacher_logits(), teacher_logits()});
  EXPECT_NEAR(soft_target_loss(one, two, 2).item<double>(), std::log(2.0) / 2, 1e-6);
  EXPECT_NEAR(soft_target_loss(one.t().unsqueeze(0), two.t().unsqueeze(0), 2).item<double>(), std::log(2.0) / 2, 1e-6);
  // What libtorch has for it.
  const at::Tensor s = at::randn({5, 7}), t = at::randn({5, 7});
  const at::Tensor expected =
      torch::nn::functional::kl_div(at::log_softmax(s / 4, 1), at::softmax(t / 4, 1),
                                    torch::nn::functional::KLDivFuncOptions().reduction(torch::kBatchMean)) *
      16;
  EXPECT_NEAR(soft_target_loss(s, t).item<double>(), expected.item<double>(), 1e-5);
  EXPECT_THROW(soft_target_loss(s, t.narrow(1, 0, 3)), Error);
}

TEST(DistillationLoss, Decoupled) {
  // The true class is 0: the teacher's (1/2, 1/2) against the student's (1/4, 3/4); among the others (1/2, 1/2) against
  // (1/3, 2/3).
  const double target = 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3),
               others = 0.5 * std::log(1.5) + 0.5 * std::log(0.75);
  const at::Tensor zero = at::zeros({1}, at::kLong);
  EXPECT_NEAR(decoupled_loss(student_logits(), teacher_logits(), zero, 2, 1, 0).item<double>(), 4 * target, 1e-6);
  EXPECT_NEAR(decoupled_loss(student_logits(), teacher_logits(), zero, 2, 3, 8).item<double>(),
              4 * (3 * target + 8 * others), 1e-5);
  // Weighed by what the teacher leaves to the others, both are the whole (equation 5 of the paper).
  const at::Tensor s = at::randn({1, 5}), t = at::randn({1, 5}), two = at::full({1}, 2, at::kLong);
  const double rest = 1 - at::softmax(t / 3, 1)[0][2].item<double>();
  EXPECT_NEAR(decoupled_loss(s, t, two, 3, 1, rest).item<double>(), soft_target_loss(s, t, 3).item<double>(), 1e-5);
  EXPECT_TRUE(decoupled_loss(s, t, two.to(at::kInt)).equal(decoupled_loss(s, t, two)));
  EXPECT_THROW(decoupled_loss(s, t, at::softmax(t, 1)), Error);
  EXPECT_THROW(decoupled_loss(s, t, at::zeros({2}, at::kLong)), Error);
}

TEST(DistillationLoss, Attention) {
  // Two channels and two positions: energies (9 + 0) / 2 and (0 + 16) / 2, so the map is (9, 16) / sqrt(337).
  const at::Tensor student = numbers({3, 0, 0, 4}, {1, 2, 2});
  // One channel: (1, 0).
  const at::Tensor teacher = numbers({5, 0}, {1, 1, 2});
  const double root = std::sqrt(337.0), a = 9 / root - 1, b = 16 / root;
  EXPECT_NEAR(attention_loss(student, teacher).item<double>(), a * a + b * b, 1e-6);
  EXPECT_NEAR(attention_loss(student, student * -2).item<double>(), 0, 1e-12);
  at::Tensor dead = at::zeros({1, 2, 2}).set_requires_grad(true);
  attention_loss(dead, teacher).backward();
  EXPECT_TRUE(dead.grad().isfinite().all().item<bool>());
  EXPECT_THROW(attention_loss(student, numbers({1, 2, 3}, {1, 1, 3})), Error);
  EXPECT_THROW(attention_loss(numbers({1}, {1, 1}), numbers({1}, {1, 1})), Error);
}

}  // namespace
}  // namespace coppice
