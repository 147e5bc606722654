#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/tensor/tensor.hpp"

/// Keeps the bytes of tensors out of protobuf. A *skeleton* is a serialised message in which the raw_data of every
/// TensorProto is replaced by an 8-byte index into a table of blobs; it is small, and protobuf handles it as usual.
namespace coppice::formats::onnx_detail {

/// The messages that can hold a TensorProto, and raw_data itself.
enum class Kind : std::uint8_t {
  opaque,
  model,
  graph,
  node,
  attribute,
  tensor,
  sparse_tensor,
  training,
  function,
  raw_data
};

using Blobs = std::vector<tensor::Bytes>;

/// The raw_data of a skeleton that stands for blob number `index`.
std::string blob_index(std::size_t index);
/// The number that such a raw_data holds; throws Error when it is not one of `blobs`.
std::size_t blob_at(std::string_view raw_data, const Blobs& blobs);
/// Adds a blob and returns the raw_data that stands for it.
std::string add_blob(Blobs& blobs, tensor::Bytes bytes);

/// Skeleton of a serialised message; the blobs are appended to `blobs` as slices of `message`, nothing is copied.
/// Throws Error on malformed or too deeply nested bytes, and when the skeleton reaches protobuf's limit of 2 GiB.
std::string lift_blobs(const tensor::Bytes& message, Kind kind, Blobs& blobs);

/// Where a file's bytes go.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::span<const std::byte> bytes) = 0;
};

/// Size of the full message.
std::uint64_t full_size(std::string_view skeleton, Kind kind, const Blobs& blobs);
/// The opposite of lift_blobs: writes the full message. Blobs are handed to the sink as they are.
void write_full(std::string_view skeleton, Kind kind, const Blobs& blobs, Sink& sink);
std::string full_message(std::string_view skeleton, Kind kind, const Blobs& blobs);

}  // namespace coppice::formats::onnx_detail
