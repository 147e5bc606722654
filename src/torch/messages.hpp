#pragma once
#include <span>
#include <string>
#include <string_view>

#include "coppice/tensor/tensor.hpp"
#include "coppice/torch/aten.hpp"

/// Texts for errors.
namespace coppice {

/// The first line of what an exception says; libtorch writes its own calls below.
inline std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}
inline std::string first_line(const c10::Error& error) {
  return first_line(error.what_without_backtrace());
}

/// "1x3x224x224", as tensor::to_string().
inline std::string shape_text(at::IntArrayRef sizes) {
  return tensor::to_string(std::span(sizes.data(), sizes.size()));
}

}  // namespace coppice
