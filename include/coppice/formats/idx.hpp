#pragma once
#include <string>

#include "coppice/tensor/tensor.hpp"

namespace coppice::formats {

/// Reads an IDX file, the format of MNIST and its relatives (https://yann.lecun.com/exdb/mnist): two zero bytes, the
/// element type (0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float32, 0x0E float64), the rank, the extents and
/// the elements, all big-endian. Compressed by gzip or plain. Throws Error, which begins with `path`, for anything
/// else and for a file that is shorter or longer than its header tells.
tensor::Tensor read_idx(const std::string& path);
/// The same from memory; `name` stands for the file in messages.
tensor::Tensor read_idx(tensor::Bytes bytes, const std::string& name);

}  // namespace coppice::formats
