#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/formats/safetensors.hpp"
#include "coppice/tensor/filled.hpp"

/// Tensors of packed files: whole ones, and such that stand as filled elements and bits.
namespace coppice::formats::packed_detail {

inline constexpr std::string_view marker_key = "coppice", header_key = "coppice.header", index_key = "coppice.index",
                                  beside_key = "coppice.beside", graph_name = "coppice.graph";
inline constexpr std::string_view checkpoint_marker = "packed 1", model_marker = "packed-onnx 1";

/// The text of the metadata; nothing when there is none of this key.
std::optional<std::string_view> metadata_text(const SafetensorsLayout& layout, std::string_view key);

/// What of `bytes` is to be stored as `entry` says, and how.
struct Part {
  SafetensorsEntry entry;
  tensor::Bytes bytes;
  std::optional<std::int64_t> filled;  ///< Of elements; nothing for a tensor that is stored whole.
};

using Names = std::set<std::string, std::less<>>;
void add_names(const std::vector<Part>& parts, Names& out);

/// Decides whether zeros are left out: where that makes the file smaller and takes no name of another tensor, be it in
/// another file of the set. One pass over the bytes.
void choose(Part& part, const Names& names);

/// Adds the entries of a part.
void append_entries(const Part& part, std::vector<SafetensorsEntry>& out);
/// Writes their bytes in that order.
void write_part(const Part& part, SafetensorsWriter& writer);

/// A tensor of a packed file, whole or in parts.
class StoredTensor {
 public:
  /// Throws Error, which names it, where it is missing or its parts do not fit each other.
  StoredTensor(const SafetensorsFile& file, std::string_view name);

  std::size_t entries() const { return bits_ ? 4 : 1; }
  const std::string& type() const { return file_.entries()[values_].type; }
  tensor::DType dtype() const { return file_.entries()[values_].dtype; }
  const tensor::Shape& shape() const { return shape_; }
  std::uint64_t bytes() const { return bytes_; }
  /// Of a tensor that is stored whole.
  std::optional<tensor::Bytes> whole() const;
  /// `out` holds bytes(). Throws Error where bits and values do not fit each other.
  void expand(std::span<std::byte> out) const;

 private:
  std::size_t need(const std::string& name, std::string_view type, const tensor::Shape& shape) const;

  const SafetensorsFile& file_;
  std::string name_;
  std::size_t values_ = 0, offsets_ = 0;
  std::optional<std::size_t> bits_;
  tensor::Shape shape_;
  tensor::Rows rows_;
  std::uint64_t bytes_ = 0;
};

}  // namespace coppice::formats::packed_detail
