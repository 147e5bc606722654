#include "formats/safetensors/parse_header.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"

#include "formats/safetensors/types.hpp"

namespace coppice::formats::safetensors_detail {
namespace {

using Json = nlohmann::json;

/// Takes exactly the form of a header, event by event: nothing else is ever built, however large or deep it is.
class Handler final : public nlohmann::json_sax<Json> {
 public:
  explicit Handler(SafetensorsLayout& out) : out_(out) {}

  bool start_object(std::size_t) override {
    if (place_ == Place::begin) return go(Place::top);
    if (place_ != Place::value) return refuse("an object");
    if (key_ != metadata_key) {
      out_.entries.emplace_back().name = key_;
      seen_.clear();
      return go(Place::entry);
    }
    if (out_.metadata) throw Error("\"" + key_ + "\" stands twice in the header");
    out_.metadata.emplace();
    seen_.clear();
    return go(Place::metadata);
  }

  bool key(std::string& text) override {
    key_ = text;
    if (place_ == Place::top) return go(Place::value);
    if (!seen_.insert(text).second) throw Error(where() + " stands twice");
    if (place_ == Place::metadata) return go(Place::metadata_text);
    if (text == "dtype") return go(Place::dtype);
    if (text == "shape") return go(Place::shape_begin);
    if (text == "data_offsets") return go(Place::offsets_begin);
    throw Error(called(entry()) + ": expected dtype, shape and data_offsets, found \"" + text + "\"");
  }

  bool end_object() override {
    if (place_ == Place::top) return go(Place::end);
    if (place_ == Place::entry && seen_.size() != 3)
      throw Error(called(entry()) + ": expected dtype, shape and data_offsets, found " + std::to_string(seen_.size()) +
                  " of them");
    return go(Place::top);
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::shape_begin) return go(Place::shape);
    if (place_ != Place::offsets_begin) return refuse("a list");
    offsets_ = 0;
    return go(Place::offsets);
  }

  bool end_array() override {
    if (place_ == Place::offsets && offsets_ != 2)
      throw Error(where() + ": expected two offsets, found " + std::to_string(offsets_));
    return go(Place::entry);
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata_text) {
      out_.metadata->emplace_back(key_, text);
      return go(Place::metadata);
    }
    if (place_ != Place::dtype) return refuse("text");
    entry().type = text;
    return go(Place::entry);
  }

  bool number_unsigned(std::uint64_t number) override {
    if (place_ == Place::shape) {
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return refuse(std::to_string(number));
      if (entry().shape.size() == axis_limit)
        throw Error(where() + ": expected at most " + std::to_string(axis_limit) + " axes, found more");
      entry().shape.push_back(static_cast<std::int64_t>(number));
      return true;
    }
    if (place_ != Place::offsets) return refuse("a number");
    if (++offsets_ > 2) throw Error(where() + ": expected two offsets, found more");
    (offsets_ == 1 ? entry().begin : entry().end) = number;
    return true;
  }

  bool number_integer(std::int64_t number) override { return refuse(std::to_string(number)); }
  bool number_float(double, const std::string& text) override { return refuse(text); }
  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a truth value"); }
  bool binary(Json::binary_t&) override { return refuse("bytes"); }
  bool parse_error(std::size_t at, const std::string&, const Json::exception&) override {
    throw Error("byte " + std::to_string(at) + " of the header: expected JSON, found something else");
  }

 private:
  enum class Place : std::uint8_t {
    begin,
    top,
    value,
    metadata,
    metadata_text,
    entry,
    dtype,
    shape_begin,
    shape,
    offsets_begin,
    offsets,
    end
  };

  SafetensorsEntry& entry() { return out_.entries.back(); }
  bool go(Place place) {
    place_ = place;
    return true;
  }

  bool in_entry() const { return place_ >= Place::entry && place_ <= Place::offsets; }

  std::string where() {
    if (in_entry()) return called(entry()) + ": " + key_;
    if (place_ == Place::metadata || place_ == Place::metadata_text) return "metadata \"" + key_ + "\"";
    return place_ == Place::value ? "\"" + key_ + "\"" : "the header";
  }

  bool refuse(const std::string& found) {
    const char* expected = "an object";
    if (place_ == Place::metadata_text || place_ == Place::dtype) expected = "text";
    if (place_ == Place::shape_begin || place_ == Place::offsets_begin) expected = "a list";
    if (place_ == Place::shape || place_ == Place::offsets) expected = "whole numbers from 0 to below 2^63";
    throw Error(where() + ": expected " + expected + ", found " + found);
  }

  SafetensorsLayout& out_;
  Place place_ = Place::begin;
  std::string key_;
  std::set<std::string, std::less<>> seen_;
  int offsets_ = 0;
};

}  // namespace

SafetensorsLayout parse_header(std::string_view text) {
  // The parser takes a zero byte for the end, and what follows it for nothing.
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
    throw Error("byte " + std::to_string(at + 1) + " of the header: expected JSON, found a zero byte");
  SafetensorsLayout out;
  Handler handler(out);
  Json::sax_parse(text.begin(), text.end(), &handler);
  std::stable_sort(out.entries.begin(), out.entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  out.header = text;
  return out;
}

}  // namespace coppice::formats::safetensors_detail
