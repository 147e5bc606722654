#include "formats/safetensors/index.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"

#include "formats/safetensors/types.hpp"

namespace coppice::formats::safetensors_detail {
namespace {

using Json = nlohmann::json;

// An index needs two levels; metadata may hold more, but nothing good nests deeper.
constexpr std::size_t depth_limit = 16;

// A plain name in the folder of the index: no way leads out of it.
void check_plain(const std::string& tensor, const std::string& file) {
  if (file.empty() || file == "." || file == ".." || file.find_first_of(std::string_view("/\\\0", 3)) != file.npos)
    throw Error("weight_map: tensor \"" + tensor + "\": expected the name of a file in the same folder, found \"" +
                file + "\"");
}

/// Keeps weight_map and total_size, event by event, and passes over everything else: time and memory are in proportion
/// to the text.
class Handler final : public nlohmann::json_sax<Json> {
 public:
  Index finish() && {
    if (!map_) throw Error("expected a field \"weight_map\", found none");
    if (out_.files.empty()) throw Error("weight_map: expected tensors, found none");
    return std::move(out_);
  }

  bool start_object(std::size_t) override {
    const bool map = at("weight_map"), metadata = at("metadata");
    if (!map && !metadata) pass("object", "an object");
    map_ = map_ || map;
    open(map ? Place::weight_map : metadata ? Place::metadata : depth() == 0 ? Place::top : Place::other);
    keys_.emplace_back();
    return true;
  }
  bool end_object() override {
    keys_.pop_back();
    places_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    pass("array", "a list");
    open(Place::other);
    return true;
  }
  bool end_array() override {
    places_.pop_back();
    return true;
  }
  bool key(std::string& text) override {
    if (!keys_.back().insert(text).second) throw Error("\"" + text + "\" stands twice");
    key_ = text;
    return true;
  }

  bool string(std::string& text) override {
    if (place() == Place::weight_map) {
      check_plain(key_, text);
      out_.files.emplace_back(key_, text);
      return true;
    }
    return pass("string", Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  bool number_unsigned(std::uint64_t number) override {
    if (!total()) return pass("number", std::to_string(number));
    out_.total_bytes = number;
    return true;
  }
  // Some writers divide and store a fraction's type.
  bool number_float(double number, const std::string& text) override {
    if (!total() || !(number >= 0 && number < 0x1p63)) return pass("number", text);
    out_.total_bytes = static_cast<std::uint64_t>(number);
    return true;
  }
  bool number_integer(std::int64_t number) override { return pass("number", std::to_string(number)); }
  bool null() override { return pass("null", "null"); }
  bool boolean(bool value) override { return pass("boolean", value ? "true" : "false"); }
  bool binary(Json::binary_t&) override { return pass("binary", "bytes"); }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception& error) override {
    if (dynamic_cast<const Json::out_of_range*>(&error))
      throw Error("expected JSON with numbers in range, found others");
    throw Error("byte " + std::to_string(byte) + ": expected JSON, found something else");
  }

 private:
  enum class Place : std::uint8_t { begin, top, weight_map, metadata, other };

  std::size_t depth() const { return places_.size(); }
  Place place() const { return places_.empty() ? Place::begin : places_.back(); }
  bool at(std::string_view field) const { return place() == Place::top && key_ == field; }
  bool total() const { return place() == Place::metadata && key_ == "total_size"; }

  void open(Place opened) {
    if (depth() == depth_limit)
      throw Error("expected at most " + std::to_string(depth_limit) + " levels of nesting, found more");
    places_.push_back(opened);
  }

  /// Anything that is not kept: refused where something else must stand, and otherwise passed over.
  bool pass(const std::string& type, const std::string& text) {
    if (place() == Place::begin && type != "object") throw Error("expected an object, found " + type);
    if (at("weight_map")) throw Error("weight_map: expected an object, found " + type);
    if (place() == Place::weight_map)
      throw Error("weight_map: tensor \"" + key_ + "\": expected the name of a file, found " + type);
    if (total()) throw Error("metadata: total_size: expected a number of bytes, found " + text);
    return true;
  }

  Index out_;
  bool map_ = false;
  std::string key_;
  std::vector<Place> places_;                             // of the objects and lists that are open
  std::vector<std::set<std::string, std::less<>>> keys_;  // of the objects that are open
};

}  // namespace

Index parse_index(std::string_view text) {
  if (text.size() > header_limit)
    throw Error("expected at most " + std::to_string(header_limit) + " bytes, found " + std::to_string(text.size()));
  if (text.find('\0') != std::string_view::npos) throw Error("expected JSON, found a zero byte");
  Handler handler;
  Json::sax_parse(text.begin(), text.end(), &handler);
  return std::move(handler).finish();
}

}  // namespace coppice::formats::safetensors_detail
