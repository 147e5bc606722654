#include "train/autocast.hpp"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

#include "coppice/base/named.hpp"

namespace coppice {
namespace {

constexpr base::Names<Precision, 2> names{{{Precision::float32, "float32"}, {Precision::bfloat16, "bfloat16"}}};

namespace autocast = at::autocast;

// From 2.4 on, these functions take the device; the older ones are to go.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool enabled(at::Device device) {
  return autocast::is_autocast_enabled(device.type());
}
void enable(at::Device device, bool on) {
  autocast::set_autocast_enabled(device.type(), on);
}
at::ScalarType type(at::Device device) {
  return autocast::get_autocast_dtype(device.type());
}
void set_type(at::Device device, at::ScalarType type) {
  autocast::set_autocast_dtype(device.type(), type);
}
#else
bool enabled(at::Device device) {
  return device.is_cpu() ? autocast::is_cpu_enabled() : autocast::is_enabled();
}
void enable(at::Device device, bool on) {
  device.is_cpu() ? autocast::set_cpu_enabled(on) : autocast::set_enabled(on);
}
at::ScalarType type(at::Device device) {
  return device.is_cpu() ? autocast::get_autocast_cpu_dtype() : autocast::get_autocast_gpu_dtype();
}
void set_type(at::Device device, at::ScalarType type) {
  device.is_cpu() ? autocast::set_autocast_cpu_dtype(type) : autocast::set_autocast_gpu_dtype(type);
}
#endif

}  // namespace

std::string_view to_string(Precision precision) {
  return base::find_name(names, precision);
}

Precision parse_precision(std::string_view text) {
  return base::parse_name("precision", names, text);
}

Autocast::Autocast(Precision precision, at::Device device) : precision_(precision), device_(device) {
  if (precision_ == Precision::float32) return;
  before_ = enabled(device_);
  type_before_ = type(device_);
  autocast::increment_nesting();
  set_type(device_, at::kBFloat16);
  enable(device_, true);
}

Autocast::~Autocast() {
  if (precision_ == Precision::float32) return;
  enable(device_, before_);
  set_type(device_, type_before_);
  // Weights were cast once for all their uses; they are to change before the next.
  if (autocast::decrement_nesting() == 0) autocast::clear_cache();
}

std::vector<at::Tensor> at_full_precision(std::vector<at::Tensor> tensors) {
  for (at::Tensor& tensor : tensors)
    if (tensor.defined() && tensor.scalar_type() == at::kBFloat16) tensor = tensor.to(at::kFloat);
  return tensors;
}

}  // namespace coppice
