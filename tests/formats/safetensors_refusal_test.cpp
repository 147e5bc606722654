#include <gtest/gtest.h>

#include "formats/safetensors_support.hpp"

namespace coppice::formats {
namespace {
using test::message;
using test::open_safetensors;
using test::safetensors;
using namespace std::string_literals;

std::string refusal_of(const std::string& file) {
  const std::string before = "a.safetensors: expected a safetensors file: ";
  const std::string found = message([&] { open_safetensors(file); });
  return found.starts_with(before) ? found.substr(before.size()) : found;
}

std::string refusal(const std::string& header, std::size_t data = 0) {
  return refusal_of(safetensors(header, std::string(data, 'x')));
}

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]}";
}

TEST(SafetensorsRefusal, Lengths) {
  EXPECT_EQ(refusal_of(""), "expected the 8 bytes of the header's length, found 0");
  EXPECT_EQ(refusal_of("1234567"), "expected the 8 bytes of the header's length, found 7");
  EXPECT_EQ(refusal_of("\x00\x00\x00\x00\x00\x00\x00\x00"s), "expected a header that begins with '{'");
  EXPECT_EQ(refusal_of("\x03\x00\x00\x00\x00\x00\x00\x00{}"s), "expected a header of 3 bytes, found 2");
  EXPECT_EQ(refusal_of(std::string(8, '\xff') + "{}"),
            "expected a header of at most 100000000 bytes, found 18446744073709551615");
  EXPECT_EQ(refusal_of("\x01\xe1\xf5\x05\x00\x00\x00\x00{}"s),
            "expected a header of at most 100000000 bytes, found 100000001");
  EXPECT_EQ(refusal_of("\x00\xe1\xf5\x05\x00\x00\x00\x00{}"s), "expected a header of 100000000 bytes, found 2");
  EXPECT_EQ(refusal(" {}"), "expected a header that begins with '{'");
  const std::string good = safetensors("{" + entry("x", "F32", "2", "0,8") + "}", "12345678");
  EXPECT_EQ(refusal_of(good), "no error");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal_of(good.substr(0, size)), "no error") << size << " bytes";
  EXPECT_EQ(refusal_of(good + "9"), "expected 8 bytes behind the header, found 9");
}

TEST(SafetensorsRefusal, Json) {
  EXPECT_EQ(refusal("{"), "byte 2 of the header: expected JSON, found something else");
  EXPECT_EQ(refusal("{} {}"), "byte 4 of the header: expected JSON, found something else");
  EXPECT_EQ(refusal("{}\0\0"s), "byte 3 of the header: expected JSON, found a zero byte");
  EXPECT_EQ(refusal("{\"\xff\":1}"), "byte 3 of the header: expected JSON, found something else");
  EXPECT_EQ(refusal("{\"x\":1}"), "\"x\": expected an object, found a number");
  EXPECT_EQ(refusal("{\"x\":null}"), "\"x\": expected an object, found null");
  EXPECT_EQ(refusal("{\"x\":" + std::string(100000, '[')), "\"x\": expected an object, found a list");
  EXPECT_EQ(refusal("{\"x\":{}}"), "tensor \"x\": expected dtype, shape and data_offsets, found 0 of them");
  EXPECT_EQ(refusal(R"({"x":{"dtype":"U8","shape":[],"strides":[]}})"),
            "tensor \"x\": expected dtype, shape and data_offsets, found \"strides\"");
  EXPECT_EQ(refusal(R"({"x":{"dtype":8}})"), "tensor \"x\": dtype: expected text, found a number");
  EXPECT_EQ(refusal(R"({"x":{"shape":"8"}})"), "tensor \"x\": shape: expected a list, found text");
  EXPECT_EQ(refusal(R"({"x":{"shape":{}}})"), "tensor \"x\": shape: expected a list, found an object");
  EXPECT_EQ(refusal(R"({"x":{"shape":[[1]]}})"),
            "tensor \"x\": shape: expected whole numbers from 0 to below 2^63, found a list");
  for (const char* number : {"-1", "1.0", "1e3", "9223372036854775808", "\"1\"", "true"})
    EXPECT_EQ(refusal(R"({"x":{"shape":[)"s + number + "]}}").find("tensor \"x\": shape: expected whole numbers"), 0u);
  EXPECT_EQ(refusal("{" + entry("x", "U8", "1", "0") + "}", 1),
            "tensor \"x\": data_offsets: expected two offsets, found 1");
  EXPECT_EQ(refusal("{" + entry("x", "U8", "1", "0,1,1") + "}", 1),
            "tensor \"x\": data_offsets: expected two offsets, found more");
  EXPECT_EQ(refusal(R"({"__metadata__":[]})"), "\"__metadata__\": expected an object, found a list");
  EXPECT_EQ(refusal(R"({"__metadata__":{"a":1}})"), "metadata \"a\": expected text, found a number");
  EXPECT_EQ(refusal(R"({"__metadata__":{"a":{}}})"), "metadata \"a\": expected text, found an object");
}

TEST(SafetensorsRefusal, Twice) {
  EXPECT_EQ(refusal("{" + entry("x", "U8", "1", "0,1") + "," + entry("y", "U8", "1", "1,2") + "," +
                        entry("x", "U8", "1", "2,3") + "}",
                    3),
            "two tensors are named \"x\"");
  // The same name, once with an escape.
  EXPECT_EQ(refusal("{" + entry("x", "U8", "0", "0,0") + "," + entry("\\u0078", "U8", "0", "0,0") + "}"),
            "two tensors are named \"x\"");
  EXPECT_EQ(refusal(R"({"x":{"dtype":"U8","dtype":"U8"}})"), "tensor \"x\": dtype stands twice");
  EXPECT_EQ(refusal(R"({"__metadata__":{"a":"1","a":"2"}})"), "metadata \"a\" stands twice");
  EXPECT_EQ(refusal(R"({"__metadata__":{},"__metadata__":{}})"), "\"__metadata__\" stands twice in the header");
}

TEST(SafetensorsRefusal, TypesAndShapes) {
  EXPECT_EQ(refusal("{" + entry("x", "F128", "1", "0,16") + "}", 16),
            "tensor \"x\": expected a type of safetensors, found \"F128\"");
  EXPECT_EQ(refusal("{" + entry("x", "F16", "2,3", "0,11") + "}", 11),
            "tensor \"x\": expected 12 bytes for 2x3 of F16, found 11");
  EXPECT_EQ(refusal("{" + entry("x", "F32", "4611686018427387904,4", "0,0") + "}"),
            "tensor \"x\": 4611686018427387904x4 of F32 is more than can be counted");
  EXPECT_EQ(refusal("{" + entry("x", "F32", "4611686018427387904", "0,0") + "}"),
            "tensor \"x\": 4611686018427387904 of F32 is more than can be counted");
  EXPECT_EQ(refusal("{" + entry("x", "F4", "3", "0,2") + "}", 2),
            "tensor \"x\": expected whole bytes, found 12 bits for 3 of F4");
  std::string axes = "1";
  for (int i = 1; i < 64; ++i) axes += ",1";
  EXPECT_EQ(refusal("{" + entry("x", "U8", axes, "0,1") + "}", 1), "no error");
  EXPECT_EQ(refusal("{" + entry("x", "U8", axes + ",1", "0,1") + "}", 1),
            "tensor \"x\": shape: expected at most 64 axes, found more");
}

TEST(SafetensorsRefusal, Offsets) {
  const auto pair = [](const std::string& first, const std::string& second) {
    return "{" + entry("x", "U8", "4", first) + "," + entry("y", "U8", "4", second) + "}";
  };
  EXPECT_EQ(refusal(pair("0,4", "4,8"), 8), "no error");
  EXPECT_EQ(refusal(pair("0,4", "3,7"), 7),
            "tensor \"y\": expected its bytes from 4 on, found 3 to 7, which overlaps with \"x\"");
  EXPECT_EQ(refusal(pair("0,4", "0,4"), 4),
            "tensor \"y\": expected its bytes from 4 on, found 0 to 4, which overlaps with \"x\"");
  EXPECT_EQ(refusal(pair("5,9", "0,4"), 9),
            "tensor \"x\": expected its bytes from 4 on, found 5 to 9, which leaves a hole");
  EXPECT_EQ(refusal(pair("1,5", "5,9"), 9),
            "tensor \"x\": expected its bytes from 0 on, found 1 to 5, which leaves a hole");
  EXPECT_EQ(refusal(pair("0,4", "4,8"), 7), "tensor \"y\": expected offsets that ascend, up to 7, found 4 to 8");
  EXPECT_EQ(refusal(pair("0,4", "8,4"), 8), "tensor \"y\": expected offsets that ascend, up to 8, found 8 to 4");
  EXPECT_EQ(refusal(pair("0,4", "4,18446744073709551615"), 8),
            "tensor \"y\": expected offsets that ascend, up to 8, found 4 to 18446744073709551615");
  EXPECT_EQ(refusal(pair("0,4", "4,8"), 9), "expected 8 bytes behind the header, found 9");
}

TEST(SafetensorsRefusal, FilesThatAreNone) {
  const test::Scratch scratch;
  EXPECT_FALSE(is_safetensors(scratch / "none"));
  EXPECT_FALSE(is_safetensors(scratch / ""));
  test::put(scratch / "a", "\x08\x00\x00\x00\x00\x00\x00\x00{}"s);
  EXPECT_FALSE(is_safetensors(scratch / "a"));
  test::put(scratch / "a", "\x02\x00\x00\x00\x00\x00\x00\x00{}"s);
  EXPECT_TRUE(is_safetensors(scratch / "a"));
  EXPECT_NE(message([&] { SafetensorsFile(scratch / "none"); }).find("none: cannot open"), std::string::npos);
}

}  // namespace
}  // namespace coppice::formats
