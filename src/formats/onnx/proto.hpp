#pragma once
#include <cstdint>
#include <string>

// Debian and Ubuntu build their library with these two, and the generated names depend on them.
#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

namespace coppice::formats::onnx_detail {

/// Fields that are younger than the oldest definitions we build with.
inline constexpr std::uint32_t node_overload_field = 8;
inline constexpr std::uint32_t function_attribute_field = 11;
inline constexpr std::uint32_t function_overload_field = 13;

/// Parses a skeleton of any message. Deeper nesting than lift_blobs() allows can only come from types of values.
template <class Proto>
bool parse_message(const std::string& skeleton, Proto& proto) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(skeleton.data()),
                                                static_cast<int>(skeleton.size()));
  stream.SetRecursionLimit(200);
  return proto.MergePartialFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

}  // namespace coppice::formats::onnx_detail
