#pragma once
#include <span>
#include <string>

namespace coppice::formats::onnx_detail {

/// What a file that is not an ONNX model looks like ("a zip archive, such as a PyTorch checkpoint"), judged by its
/// first bytes; empty when it looks like nothing known.
std::string looks_like(std::span<const std::byte> file);

}  // namespace coppice::formats::onnx_detail
