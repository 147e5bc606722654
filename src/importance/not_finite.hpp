#pragma once
#include <string>

#include "coppice/tensor/tensor.hpp"

namespace coppice::importance {

/// The first element of a tensor with has_magnitude() that is no finite number, as "nan at [3, 17]"; where all are
/// finite, "a sum too large".
std::string not_finite(const tensor::Tensor& tensor);

}  // namespace coppice::importance
