#include <algorithm>

#include "coppice/base/error.hpp"

#include "formats/safetensors/parse_header.hpp"
#include "formats/safetensors/types.hpp"

namespace coppice::formats::safetensors_detail {
namespace {

std::string range(const SafetensorsEntry& entry) {
  return std::to_string(entry.begin) + " to " + std::to_string(entry.end);
}

}  // namespace

void check_offsets(SafetensorsLayout& layout, std::uint64_t data_bytes) {
  std::uint64_t at = 0;
  const SafetensorsEntry* before = nullptr;
  for (SafetensorsEntry& entry : layout.entries) {
    const Type* const type = find_type(entry.type);
    if (!type) throw Error(called(entry) + ": expected a type of safetensors, found \"" + entry.type + "\"");
    entry.dtype = type->dtype;
    if (entry.end < entry.begin || entry.end > data_bytes)
      throw Error(called(entry) + ": expected offsets that ascend, up to " + std::to_string(data_bytes) + ", found " +
                  range(entry));
    if (entry.begin != at)
      throw Error(called(entry) + ": expected its bytes from " + std::to_string(at) + " on, found " + range(entry) +
                  (entry.begin < at ? ", which overlaps with \"" + before->name + "\"" : ", which leaves a hole"));
    if (const std::uint64_t expected = expected_bytes(entry, *type); entry.bytes() != expected)
      throw Error(called(entry) + ": expected " + std::to_string(expected) + " bytes for " +
                  tensor::to_string(entry.shape) + " of " + entry.type + ", found " + std::to_string(entry.bytes()));
    at = entry.end;
    before = &entry;
  }
  if (at != data_bytes)
    throw Error("expected " + std::to_string(at) + " bytes behind the header, found " + std::to_string(data_bytes));
}

std::vector<std::size_t> sorted_names(const std::vector<SafetensorsEntry>& entries) {
  std::vector<std::size_t> out(entries.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return entries[a].name < entries[b].name; });
  for (std::size_t i = 1; i < out.size(); ++i) {
    const std::string& name = entries[out[i]].name;
    if (entries[out[i - 1]].name == name) throw Error("two tensors are named \"" + name + "\"");
  }
  return out;
}

SafetensorsLayout sound_layout(std::string_view header) {
  if (header.size() > header_limit || !header.starts_with('{'))
    throw Error("expected a header that begins with '{', of at most " + std::to_string(header_limit) + " bytes");
  SafetensorsLayout out = parse_header(header);
  sorted_names(out.entries);
  check_offsets(out, out.data_bytes());
  return out;
}

}  // namespace coppice::formats::safetensors_detail
