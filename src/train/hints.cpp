#include "train/hints.hpp"

#include <algorithm>

#include <torch/optim/optimizer.h>

#include "coppice/base/error.hpp"

#include "torch/messages.hpp"

namespace coppice {
namespace {

// Channels last.
at::Tensor rows(const at::Tensor& activation) {
  return activation.movedim(1, -1).reshape({-1, activation.size(1)});
}

// The matrix W of the least |W s - t|^2 over the rows, held back a little where they do not tell it.
at::Tensor least_squares(const at::Tensor& student, const at::Tensor& teacher) {
  const at::NoGradGuard no_gradients;
  const at::Tensor s = rows(student).to(at::kDouble), t = rows(teacher).to(at::kDouble);
  at::Tensor normal = s.t().mm(s);
  normal.diagonal().add_(normal.diagonal().mean() * 1e-6 + 1e-12);
  return at::linalg_solve(normal, s.t().mm(t)).t().to(student.scalar_type()).contiguous();
}

at::Tensor at_least_single(const at::Tensor& tensor) {
  const bool reduced = tensor.scalar_type() == at::kBFloat16 || tensor.scalar_type() == at::kHalf;
  return reduced ? tensor.to(at::kFloat) : tensor;
}

void forget(const at::Tensor& parameter, torch::optim::Optimizer& optimizer) {
  using Key = typename std::decay_t<decltype(optimizer.state())>::key_type;
  optimizer.state().erase(optimizer_key<Key>(parameter));
}

}  // namespace

at::Tensor Hints::loss(std::size_t number, const at::Tensor& of_student, const at::Tensor& of_teacher,
                       torch::optim::Optimizer& optimizer) {
  // What is learnt stays at full precision: half of it would swallow small steps.
  const at::Tensor student = at_least_single(of_student), teacher = at_least_single(of_teacher);
  std::vector<std::int64_t> one = student.sizes().vec(), other = teacher.sizes().vec();
  if (one.size() > 1 && other.size() > 1) one[1] = other[1] = 1;
  if (one.size() < 2 || one != other)
    throw Error("fitnet: expected activations with samples, channels and the same positions, found " +
                shape_text(student.sizes()) + " of the student and " + shape_text(teacher.sizes()) + " of the teacher");
  at::Tensor& map = maps_[number];
  if (!map.defined() && student.size(1) == teacher.size(1)) return (student - teacher).square().mean();
  if (!map.defined() || map.size(1) != student.size(1)) put(number, least_squares(student, teacher), optimizer);
  return (rows(student).mm(map.t()) - rows(teacher)).square().mean();
}

void Hints::put(std::size_t number, const at::Tensor& matrix, torch::optim::Optimizer& optimizer) {
  at::Tensor& map = maps_[number];
  if (map.defined()) {
    forget(map, optimizer);
    map.mutable_grad() = at::Tensor();
    map.set_data(matrix);
    return;
  }
  map = matrix.detach().clone().set_requires_grad(true);
  optimizer.param_groups().front().params().push_back(map);
}

void Hints::leave(torch::optim::Optimizer& optimizer) {
  auto& parameters = optimizer.param_groups().front().params();
  for (at::Tensor& map : maps_) {
    if (!map.defined()) continue;
    forget(map, optimizer);
    std::erase_if(parameters, [&](const at::Tensor& parameter) { return parameter.is_same(map); });
    map = at::Tensor();
  }
}

NamedTensors Hints::state() const {
  NamedTensors out;
  for (std::size_t i = 0; i < maps_.size(); ++i)
    if (maps_[i].defined()) out.emplace_back(std::to_string(i), maps_[i].detach());
  return out;
}

void Hints::load(const NamedTensors& state, torch::optim::Optimizer& optimizer) {
  leave(optimizer);
  for (std::size_t i = 0; i < maps_.size(); ++i)
    for (const auto& [name, tensor] : state)
      if (name == std::to_string(i)) put(i, tensor, optimizer);
}

}  // namespace coppice
