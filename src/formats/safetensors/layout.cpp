#include <algorithm>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"

#include "formats/safetensors/types.hpp"

namespace coppice::formats {
namespace {
using namespace safetensors_detail;

std::string quoted(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    throw Error("expected names and metadata in UTF-8, found other bytes");
  }
}

void append_pair(std::string& out, const std::string& key, const std::string& value) {
  if (out.back() != '{') out += ',';
  out.append(quoted(key)).append(":").append(value);
}

std::string header_of(const SafetensorsLayout& layout) {
  std::string out = "{";
  if (layout.metadata) {
    std::string texts = "{";
    for (const auto& [key, text] : *layout.metadata) append_pair(texts, key, quoted(text));
    append_pair(out, std::string(metadata_key), texts + "}");
  }
  for (const SafetensorsEntry& entry : layout.entries) {
    std::string extents;
    for (const std::int64_t extent : entry.shape) extents += (extents.empty() ? "" : ",") + std::to_string(extent);
    append_pair(out, entry.name,
                "{\"dtype\":\"" + entry.type + "\",\"shape\":[" + extents + "],\"data_offsets\":[" +
                    std::to_string(entry.begin) + "," + std::to_string(entry.end) + "]}");
  }
  out += '}';
  out.append((8 - out.size() % 8) % 8, ' ');
  if (out.size() > header_limit)
    throw Error("expected a header of at most " + std::to_string(header_limit) + " bytes, found " +
                std::to_string(out.size()));
  return out;
}

void check_distinct(std::vector<std::string_view> names, const char* what) {
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    throw Error(std::string("two ") + what + " are named \"" + std::string(*twice) + "\"");
}

void check_names(const SafetensorsLayout& layout) {
  std::vector<std::string_view> names, keys;
  for (const SafetensorsEntry& entry : layout.entries) {
    if (entry.name == metadata_key) throw Error("\"" + entry.name + "\" is no name for a tensor");
    names.push_back(entry.name);
  }
  check_distinct(std::move(names), "tensors");
  if (!layout.metadata) return;
  for (const auto& [key, text] : *layout.metadata) keys.push_back(key);
  check_distinct(std::move(keys), "texts of the metadata");
}

}  // namespace

SafetensorsLayout SafetensorsLayout::of(std::vector<SafetensorsEntry> entries,
                                        std::optional<SafetensorsMetadata> metadata) {
  SafetensorsLayout out{std::move(entries), std::move(metadata), {}};
  check_names(out);
  std::uint64_t at = 0;
  for (SafetensorsEntry& entry : out.entries) {
    if (entry.dtype != tensor::DType::undefined) entry.type = safetensors_type(entry.dtype);
    const Type* const type = find_type(entry.type);
    if (!type) throw Error(called(entry) + ": safetensors has no type for " + std::string(tensor::name(entry.dtype)));
    entry.begin = at;
    if (__builtin_add_overflow(at, expected_bytes(entry, *type), &at))
      throw Error(called(entry) + ": all tensors together are more than can be counted");
    entry.end = at;
  }
  out.header = header_of(out);
  return out;
}

}  // namespace coppice::formats
