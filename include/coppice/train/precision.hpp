#pragma once
#include <string>
#include <string_view>

namespace coppice {

/// What the forward passes of a training compute in. Parameters, their gradients, the optimizer and the loss stay as
/// they are.
enum class Precision {
  float32,   ///< As the model is.
  bfloat16,  ///< Convolutions and matrix products in bfloat16 (libtorch's autocast): faster where the device has units
             ///< for it. Needs no scaling of the loss, for bfloat16 has float32's range.
};

std::string_view to_string(Precision precision);
/// Throws Error, which lists the names, on any other text.
Precision parse_precision(std::string_view text);

}  // namespace coppice
