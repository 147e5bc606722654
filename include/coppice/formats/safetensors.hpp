#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/base/atomic_file.hpp"
#include "coppice/formats/named_tensor.hpp"
#include "coppice/tensor/tensor.hpp"

/// Reading and writing of safetensors files (https://github.com/huggingface/safetensors, section "Format"): the length
/// of a header, the header in JSON, then the bytes of all tensors. Checkpoints of several files: safetensors_set.hpp.
namespace coppice::formats {

/// What the header says of one tensor.
struct SafetensorsEntry {
  std::string name;
  std::string type;                                ///< As the file names it, such as "BF16".
  tensor::DType dtype = tensor::DType::undefined;  ///< Stays undefined for F6_E2M3, F6_E3M2 and F8_E8M0.
  tensor::Shape shape;                             ///< At most 64 axes.
  std::uint64_t begin = 0, end = 0;                ///< Of its bytes, behind the header.

  std::int64_t elements() const { return tensor::element_count(shape); }
  std::uint64_t bytes() const { return end - begin; }
};

/// "F32" for float32; empty for a type that the format has no name for.
std::string_view safetensors_type(tensor::DType dtype);

/// Names and texts that belong to the whole file, in its order.
using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

/// All that stands before the bytes of the tensors.
struct SafetensorsLayout {
  std::vector<SafetensorsEntry> entries;  ///< In the order of their bytes, without holes from 0 on.
  std::optional<SafetensorsMetadata> metadata;
  std::string header;  ///< The JSON text with its padding, as it stands in the file.

  std::uint64_t data_bytes() const { return entries.empty() ? 0 : entries.back().end; }
  std::uint64_t file_bytes() const { return 8 + header.size() + data_bytes(); }

  /// For a new file: of the entries only name, dtype (or type) and shape are read; their bytes follow each other in
  /// this order, and the header is written as the reference implementation writes it, padded to a multiple of 8.
  /// Throws Error for two of one name, a type without a name in the format, and a header of more than 100 MB.
  static SafetensorsLayout of(std::vector<SafetensorsEntry> entries, std::optional<SafetensorsMetadata> metadata = {});
};

/// A file open for reading. Tensors refer to the mapped file: they cost nothing until they are touched.
///
/// Refused: a header that is longer than 100 MB or the file, does not begin with '{' or is not the JSON of the format;
/// two tensors, fields or metadata of one name; types unknown to the format; more than 64 axes; shapes whose product
/// overflows or does not fit the offsets; offsets out of range, overlapping or with holes; bytes behind the last
/// tensor.
class SafetensorsFile {
 public:
  /// Throws Error, which begins with `path`.
  explicit SafetensorsFile(const std::string& path);
  /// The same from memory; `name` stands for the file in messages.
  SafetensorsFile(tensor::Bytes bytes, std::string name);

  const std::string& path() const { return path_; }
  const SafetensorsLayout& layout() const { return layout_; }
  const std::vector<SafetensorsEntry>& entries() const { return layout_.entries; }
  /// The place of a tensor among the entries; none when there is none of this name.
  std::optional<std::size_t> find(std::string_view name) const;

  /// The bytes of one entry, streamed where the file is mapped: see tensor::Residence.
  tensor::Bytes bytes(std::size_t entry) const;
  /// The same with type and shape. Packed and undefined types have bytes but cannot be computed with.
  tensor::Tensor tensor(std::size_t entry) const;

 private:
  std::string path_;
  tensor::Bytes data_;
  SafetensorsLayout layout_;
  std::vector<std::size_t> by_name_;
};

/// Whether a file looks like one: the length of a header that fits, and '{'. False when it cannot be read.
bool is_safetensors(const std::string& path);

/// Writes one file piece by piece, beside its target until commit() renames it. Throws Error, which begins with the
/// path. Destroyed without commit(), it leaves the target as it was.
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::string& path, const SafetensorsLayout& layout);

  /// The next bytes of the tensors, in the order of the layout, in pieces of any size.
  void write(std::span<const std::byte> bytes);
  /// The same; the pages of streamed bytes are given back on the way.
  void write(const tensor::Bytes& bytes);
  /// Completes the file under its temporary name. Throws Error unless all bytes of the layout were written.
  void finish();
  /// finish() and rename onto the target.
  void commit();

 private:
  base::AtomicFile file_;
  std::uint64_t whole_ = 0;
};

/// Writes tensors in the given order to one file. Throws Error.
void write_safetensors(const std::vector<NamedTensor>& tensors, const std::string& path,
                       const std::optional<SafetensorsMetadata>& metadata = {});

}  // namespace coppice::formats
