#include "formats/packed/parts.hpp"

namespace coppice::formats::packed_detail {
namespace {
using tensor::DType;

constexpr std::string_view endings[] = {".compressed", ".bitmask", ".shape", ".row_offsets"};
// What three more names take in a header.
constexpr std::uint64_t header_bytes = 300;

SafetensorsEntry entry_of(const std::string& name, DType dtype, tensor::Shape shape) {
  SafetensorsEntry out;
  out.name = name;
  out.dtype = dtype;
  out.shape = std::move(shape);
  return out;
}

/// In the order of the bytes.
std::vector<SafetensorsEntry> entries_of(const SafetensorsEntry& entry, std::int64_t filled) {
  const tensor::Rows rows = tensor::rows_of(entry.shape);
  const auto rank = static_cast<std::int64_t>(entry.shape.size());
  return {entry_of(entry.name + ".compressed", entry.dtype, {filled}),
          entry_of(entry.name + ".bitmask", DType::uint8, {rows.rows, rows.row_bytes()}),
          entry_of(entry.name + ".shape", DType::int64, {rank}),
          entry_of(entry.name + ".row_offsets", DType::int64, {rows.rows})};
}

bool is_smaller(const Part& part, std::int64_t filled) {
  std::uint64_t bytes = header_bytes;
  for (const SafetensorsEntry& entry : entries_of(part.entry, filled))
    bytes += tensor::byte_size(entry.dtype, entry.elements());
  return bytes < part.bytes.size();
}

template <class T>
std::span<const std::byte> as_bytes(const std::vector<T>& numbers) {
  return std::as_bytes(std::span(numbers));
}

}  // namespace

std::optional<std::string_view> metadata_text(const SafetensorsLayout& layout, std::string_view key) {
  if (!layout.metadata) return std::nullopt;
  for (const auto& [name, text] : *layout.metadata)
    if (name == key) return text;
  return std::nullopt;
}

void add_names(const std::vector<Part>& parts, Names& out) {
  for (const Part& part : parts) out.insert(part.entry.name);
}

void choose(Part& part, const Names& names) {
  if (part.bytes.size() <= header_bytes || !tensor::can_leave_out(part.entry.dtype)) return;
  for (const std::string_view ending : endings)
    if (names.contains(part.entry.name + std::string(ending))) return;
  const std::int64_t filled = tensor::count_filled({part.entry.dtype, part.entry.shape, part.bytes, nullptr});
  if (is_smaller(part, filled)) part.filled = filled;
}

void append_entries(const Part& part, std::vector<SafetensorsEntry>& out) {
  if (!part.filled) return out.push_back(part.entry);
  for (SafetensorsEntry& entry : entries_of(part.entry, *part.filled)) out.push_back(std::move(entry));
}

void write_part(const Part& part, SafetensorsWriter& writer) {
  if (!part.filled) return writer.write(part.bytes.now());
  const tensor::Tensor tensor{part.entry.dtype, part.entry.shape, part.bytes.now(), nullptr};
  const tensor::Rows rows = tensor::rows_of(tensor.shape);
  tensor::Buffer values(tensor::byte_size(tensor.dtype, *part.filled));
  tensor::filled_values(tensor, values.span());
  writer.write(values.span());
  tensor::Buffer bits(static_cast<std::size_t>(rows.rows * rows.row_bytes()));
  std::vector<std::int64_t> before(static_cast<std::size_t>(rows.rows));
  tensor::write_bitmask(tensor, rows, bits.span(), before);
  writer.write(bits.span());
  writer.write(as_bytes(tensor.shape));
  writer.write(as_bytes(before));
}

}  // namespace coppice::formats::packed_detail
