#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding/), as far as walking over a message needs.
namespace coppice::formats::onnx_detail {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, length = 2, group_begin = 3, group_end = 4, fixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::span<const std::byte> whole;    ///< With tag and length.
  std::span<const std::byte> payload;  ///< The contents of a length-delimited field; empty otherwise.
};

/// Steps through the fields of one message. Every length is checked against the end of the message.
class FieldCursor {
 public:
  /// `origin` is the first byte of the file, for offsets in messages.
  FieldCursor(std::span<const std::byte> message, const std::byte* origin)
      : at_(message.data()), end_(message.data() + message.size()), origin_(origin) {}
  /// False at the end. Throws Error saying what is wrong at which byte.
  bool next(Field& field);

 private:
  std::uint64_t varint();
  std::uint32_t tag();
  void skip(std::uint64_t count);
  void value(std::uint32_t number, WireType type);
  void group(std::uint32_t number);
  [[noreturn]] void fail(const std::string& what) const;

  const std::byte *at_, *end_, *origin_;
};

inline std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}
void append_varint(std::string& out, std::uint64_t value);
/// Appends a length-delimited field.
void append_field(std::string& out, std::uint32_t number, std::string_view contents);

/// Moves the length-delimited fields of that number out of a serialised message, in order.
std::vector<std::string> take_fields(std::string& message, std::uint32_t number);

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace coppice::formats::onnx_detail
