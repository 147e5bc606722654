#include "formats/safetensors/index.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"

#include "formats/safetensors/types.hpp"

namespace coppice::formats::safetensors_detail {
namespace {

using Json = nlohmann::ordered_json;

// An index needs two levels; metadata may hold more, but nothing good nests deeper.
constexpr int depth_limit = 16;

Json parse(std::string_view text) {
  if (text.size() > header_limit)
    throw Error("expected at most " + std::to_string(header_limit) + " bytes, found " + std::to_string(text.size()));
  if (text.find('\0') != std::string_view::npos) throw Error("expected JSON, found a zero byte");
  std::vector<std::set<std::string, std::less<>>> keys;  // of the objects that are open
  const auto guard = [&keys](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > depth_limit)
      throw Error("expected at most " + std::to_string(depth_limit) + " levels of nesting, found more");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get_ref<const std::string&>()).second)
      throw Error("\"" + parsed.get<std::string>() + "\" stands twice");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), guard);
  } catch (const Json::parse_error& error) {
    throw Error("byte " + std::to_string(error.byte) + ": expected JSON, found something else");
  } catch (const Json::exception&) {
    throw Error("expected JSON with numbers in range, found others");
  }
}

// A plain name in the folder of the index: no way leads out of it.
void check_plain(const std::string& tensor, const std::string& file) {
  if (file.empty() || file == "." || file == ".." || file.find_first_of(std::string_view("/\\\0", 3)) != file.npos)
    throw Error("weight_map: tensor \"" + tensor + "\": expected the name of a file in the same folder, found \"" +
                file + "\"");
}

std::optional<std::uint64_t> total_bytes(const Json& json) {
  const auto metadata = json.find("metadata");
  if (metadata == json.end() || !metadata->is_object()) return std::nullopt;
  const auto total = metadata->find("total_size");
  if (total == metadata->end()) return std::nullopt;
  // Some writers divide and store a fraction's type.
  if (total->is_number_float() && total->get<double>() >= 0 && total->get<double>() < 0x1p63)
    return static_cast<std::uint64_t>(total->get<double>());
  if (!total->is_number_unsigned())
    throw Error("metadata: total_size: expected a number of bytes, found " + total->dump());
  return total->get<std::uint64_t>();
}

}  // namespace

Index parse_index(std::string_view text) {
  const Json json = parse(text);
  if (!json.is_object()) throw Error(std::string("expected an object, found ") + json.type_name());
  const auto map = json.find("weight_map");
  if (map == json.end()) throw Error("expected a field \"weight_map\", found none");
  if (!map->is_object()) throw Error(std::string("weight_map: expected an object, found ") + map->type_name());
  Index out;
  for (const auto& item : map->items()) {
    if (!item.value().is_string())
      throw Error("weight_map: tensor \"" + item.key() + "\": expected the name of a file, found " +
                  item.value().type_name());
    out.files.emplace_back(item.key(), item.value().get<std::string>());
    check_plain(out.files.back().first, out.files.back().second);
  }
  if (out.files.empty()) throw Error("weight_map: expected tensors, found none");
  out.total_bytes = total_bytes(json);
  return out;
}

}  // namespace coppice::formats::safetensors_detail
