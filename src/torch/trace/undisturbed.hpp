#pragma once
#include <utility>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice::tracing {

/// While it lives, a module may run: afterwards its training flags, buffers and the default generators' states are what
/// they were. Gradients are off.
class Undisturbed {
 public:
  Undisturbed(torch::nn::Module& module, bool evaluation);
  ~Undisturbed();
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

  /// The path of the first parameter that has been written to; empty when there is none.
  std::string written_parameter() const;

 private:
  struct Buffer {
    at::Tensor tensor, copy;
  };
  struct Parameter {
    std::string name;
    at::Tensor tensor;
    std::uint64_t version;
  };
  at::NoGradGuard no_gradients_;
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> flags_;
  std::vector<Buffer> buffers_;
  std::vector<Parameter> parameters_;
  std::vector<std::pair<at::Generator, at::Tensor>> generators_;
};

}  // namespace coppice::tracing
