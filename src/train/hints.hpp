#pragma once
#include <vector>

#include "coppice/torch/evidence.hpp"

namespace torch::optim {
class Optimizer;
}

namespace coppice {

/// The loss of FitNets over pairs of activations, and the matrices that map those of the student to the width of the
/// teacher's where they differ.
class Hints {
 public:
  explicit Hints(std::size_t pairs) : maps_(pairs) {}

  /// The mean squared difference of pair `number`. A matrix that is missing, or has another width, is made anew and
  /// given to the optimizer. Half-precision activations are computed with in fp32, and so is the matrix.
  at::Tensor loss(std::size_t number, const at::Tensor& of_student, const at::Tensor& of_teacher,
                  torch::optim::Optimizer& optimizer);
  /// Takes the matrices out of the optimizer.
  void leave(torch::optim::Optimizer& optimizer);

  NamedTensors state() const;
  void load(const NamedTensors& state, torch::optim::Optimizer& optimizer);

 private:
  void put(std::size_t number, const at::Tensor& matrix, torch::optim::Optimizer& optimizer);

  std::vector<at::Tensor> maps_;  // [teacher's channels, student's]; undefined where there is none
};

}  // namespace coppice
