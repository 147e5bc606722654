#include "formats/onnx/wire.hpp"

#include "coppice/base/error.hpp"

namespace coppice::formats::onnx_detail {
namespace {
constexpr std::size_t max_group_depth = 64;
}

void FieldCursor::fail(const std::string& what) const {
  throw Error("truncated or damaged at byte " + std::to_string(at_ - origin_) + ": " + what);
}

std::uint64_t FieldCursor::varint() {
  std::uint64_t out = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_ == end_) fail("a number runs past the end of its message");
    const auto byte = static_cast<std::uint64_t>(*at_++);
    if (shift < 64) out |= (byte & 0x7fu) << shift;
    if (byte < 0x80u) return out;
  }
  fail("a number has more than ten bytes");
}

std::uint32_t FieldCursor::tag() {
  const std::uint64_t value = varint();
  if (value > 0xffffffffu || (value >> 3) == 0 || (value & 7u) > 5)
    fail("expected a field, found tag " + std::to_string(value));
  return static_cast<std::uint32_t>(value);
}

void FieldCursor::skip(std::uint64_t count) {
  const auto left = static_cast<std::uint64_t>(end_ - at_);
  if (count > left) fail("a field of " + std::to_string(count) + " bytes, but " + std::to_string(left) + " are left");
  at_ += count;
}

void FieldCursor::value(std::uint32_t number, WireType type) {
  switch (type) {
    case WireType::varint:
      varint();
      break;
    case WireType::fixed64:
      skip(8);
      break;
    case WireType::fixed32:
      skip(4);
      break;
    case WireType::length:
      skip(varint());
      break;
    case WireType::group_begin:
      group(number);
      break;
    case WireType::group_end:
      fail("a group ends that did not begin");
  }
}

void FieldCursor::group(std::uint32_t number) {
  std::vector<std::uint32_t> open{number};
  while (!open.empty()) {
    const std::uint32_t next = tag();
    const auto type = static_cast<WireType>(next & 7u);
    if (type == WireType::group_begin) {
      if (open.size() == max_group_depth) fail("groups are nested too deep");
      open.push_back(next >> 3);
    } else if (type == WireType::group_end) {
      if (open.back() != next >> 3) fail("a group ends that did not begin");
      open.pop_back();
    } else {
      value(next >> 3, type);
    }
  }
}

bool FieldCursor::next(Field& field) {
  if (at_ == end_) return false;
  const std::byte* begin = at_;
  const std::uint32_t found = tag();
  field.number = found >> 3;
  field.type = static_cast<WireType>(found & 7u);
  field.payload = {};
  if (field.type == WireType::length) {
    const std::uint64_t size = varint();
    const std::byte* contents = at_;
    skip(size);
    field.payload = {contents, static_cast<std::size_t>(size)};
  } else {
    value(field.number, field.type);
  }
  field.whole = {begin, at_};
  return true;
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80u; value >>= 7) out.push_back(static_cast<char>((value & 0x7fu) | 0x80u));
  out.push_back(static_cast<char>(value));
}

void append_field(std::string& out, std::uint32_t number, std::string_view contents) {
  append_varint(out, (std::uint64_t{number} << 3) | static_cast<std::uint64_t>(WireType::length));
  append_varint(out, contents.size());
  out.append(contents);
}

std::vector<std::string> take_fields(std::string& message, std::uint32_t number) {
  std::vector<std::string> taken;
  std::string rest;
  const auto all = bytes_of(message);
  FieldCursor cursor(all, all.data());
  for (Field field; cursor.next(field);) {
    if (field.number == number && field.type == WireType::length) {
      taken.emplace_back(text_of(field.payload));
    } else {
      rest.append(text_of(field.whole));
    }
  }
  if (!taken.empty()) message = std::move(rest);
  return taken;
}

}  // namespace coppice::formats::onnx_detail
