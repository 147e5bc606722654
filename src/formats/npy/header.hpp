#pragma once
#include <string>
#include <string_view>

#include "coppice/tensor/tensor.hpp"

namespace coppice::formats::npy_detail {

/// What the header of an array says.
struct Header {
  tensor::DType dtype = tensor::DType::undefined;
  bool fortran_order = false;
  tensor::Shape shape;
};

/// Reads the literal of a Python dictionary with the keys descr, fortran_order and shape. Throws Error.
Header parse_header(std::string_view text);

/// The same as text; Error for a type that NumPy does not have.
std::string header_text(const tensor::Tensor& tensor);

}  // namespace coppice::formats::npy_detail
