#pragma once
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice::data {

inline void expect_pictures(const at::Tensor& pictures) {
  if (pictures.dim() != 4)
    throw Error("transform: expected pictures with axes samples, channels, height and width, found " +
                std::to_string(pictures.dim()) + " axes");
}

}  // namespace coppice::data
