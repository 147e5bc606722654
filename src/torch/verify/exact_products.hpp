#pragma once
#include <ATen/Context.h>

#include "coppice/torch/aten.hpp"

namespace coppice::verifying {

/// While it lives, single-precision products on a CUDA device keep their precision: by default libtorch may round their
/// operands to 10 bits, which is more than a proof can bear.
class ExactProducts {
 public:
  explicit ExactProducts(at::Device device) : cuda_(device.is_cuda()) {
    if (!cuda_) return;
    at::Context& context = at::globalContext();
    convolutions_ = context.allowTF32CuDNN();
    products_ = context.allowTF32CuBLAS();
    context.setAllowTF32CuDNN(false);
    context.setAllowTF32CuBLAS(false);
  }
  ~ExactProducts() {
    if (!cuda_) return;
    at::globalContext().setAllowTF32CuDNN(convolutions_);
    at::globalContext().setAllowTF32CuBLAS(products_);
  }
  ExactProducts(const ExactProducts&) = delete;
  ExactProducts& operator=(const ExactProducts&) = delete;

 private:
  bool cuda_ = false, convolutions_ = false, products_ = false;
};

}  // namespace coppice::verifying
