#pragma once
#include <string>

#include "coppice/tensor/tensor.hpp"

/// NumPy's files of one array, format versions 1.0 to 3.0:
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
///
/// Booleans, whole numbers of 8 to 64 bits, float16 to float64 and complex numbers, little-endian. Big-endian arrays,
/// strings, objects and structured arrays are refused, as is a file that is shorter or longer than its header tells.
namespace coppice::formats {

/// Reads an array; one in Fortran order is transposed to row-major. The elements lie in the mapped file and may be
/// unaligned. Throws Error, which begins with `path`.
tensor::Tensor read_npy(const std::string& path);
/// The same from memory; `name` stands for the file in messages.
tensor::Tensor read_npy(tensor::Bytes bytes, const std::string& name);

/// Writes version 1.0, row-major. bfloat16, which NumPy does not have, is written as float32. Throws Error for types
/// that NumPy does not have either way (8-bit and 4-bit floats, 4-bit integers, strings) and when writing fails; the
/// old file then stays.
void write_npy(const tensor::Tensor& tensor, const std::string& path);
/// The file as a string.
std::string write_npy_bytes(const tensor::Tensor& tensor);

}  // namespace coppice::formats
