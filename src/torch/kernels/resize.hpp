#pragma once
#include <string>

#include "torch/executor/kernel.hpp"

/// Interpolation along one axis, as ONNX's Resize has it.
namespace coppice::executor {

struct Interpolation {
  enum class Mode { nearest, linear, cubic };
  Mode mode = Mode::nearest;
  std::string coordinates = "asymmetric";  ///< coordinate_transformation_mode.
  std::string nearest;                     ///< nearest_mode; empty where the operator set has none.
  double cubic = -0.75;                    ///< cubic_coeff_a.
  double outside = 0;                      ///< extrapolation_value of tf_crop_and_resize.
  bool exclude = false;                    ///< exclude_outside: elements that there are none of have no weight.
  bool antialias = false;
};

/// An axis and what becomes of it.
struct Line {
  std::int64_t in = 0, out = 0;
  double scale = 1;
  double start = 0, end = 1;  ///< Of the region that tf_crop_and_resize takes.
};

at::Tensor interpolate(const at::Tensor& x, std::int64_t axis, const Line& line, const Interpolation& how);

}  // namespace coppice::executor
