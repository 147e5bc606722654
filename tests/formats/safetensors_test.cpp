#include <gtest/gtest.h>

#include "formats/safetensors_support.hpp"

namespace coppice::formats {
namespace {
using test::get;
using test::message;
using test::open_safetensors;
using test::put;
using test::safetensors;
using test::text_of;
using namespace std::string_literals;

// What the reference implementation writes for these tensors: largest types first, then by name; no blanks but the
// padding to 8 bytes.
const std::string two_header =
    R"({"__metadata__":{"format":"pt","a \"b\"":"é\n"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
    R"("b.é":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]}}      )";
const std::string two_data = "\x00\x00\x80\x3f\x00\x00\x00\xc0\x80\x3f\x00\x00\x00\x80"s;
const std::string two = safetensors(two_header, two_data);

TEST(Safetensors, ReadsTensorsWithoutCopying) {
  ASSERT_EQ(two_header.size() % 8, 0u);
  const auto bytes = tensor::Bytes::copy(std::as_bytes(std::span(two)));
  const SafetensorsFile file(bytes, "a.safetensors");
  ASSERT_EQ(file.entries().size(), 2u);
  EXPECT_EQ(file.entries()[0].name, "w");
  EXPECT_EQ(file.entries()[0].type, "F32");
  EXPECT_EQ(file.entries()[1].name, "b.é");
  EXPECT_EQ(file.entries()[1].dtype, tensor::DType::bfloat16);
  const tensor::Tensor w = file.tensor(*file.find("w")), b = file.tensor(*file.find("b.é"));
  EXPECT_EQ(w.shape, (tensor::Shape{1, 2}));
  EXPECT_EQ(element_as_double(w, 0), 1);
  EXPECT_EQ(element_as_double(w, 1), -2);
  EXPECT_EQ(element_as_double(b, 0), 1);
  EXPECT_EQ(file.bytes(0).data(), bytes.data() + 8 + two_header.size());
  EXPECT_EQ(file.find("v"), std::nullopt);
  ASSERT_TRUE(file.layout().metadata);
  EXPECT_EQ(*file.layout().metadata, (SafetensorsMetadata{{"format", "pt"}, {"a \"b\"", "é\n"}}));
}

TEST(Safetensors, KnowsEveryType) {
  struct Row {
    const char* name;
    int bits;
    tensor::DType dtype;
  };
  using tensor::DType;
  for (const Row& row : {Row{"BOOL", 8, DType::boolean},
                         {"U8", 8, DType::uint8},
                         {"I8", 8, DType::int8},
                         {"F8_E5M2", 8, DType::float8e5m2},
                         {"F8_E4M3", 8, DType::float8e4m3fn},
                         {"F8_E5M2FNUZ", 8, DType::float8e5m2fnuz},
                         {"F8_E4M3FNUZ", 8, DType::float8e4m3fnuz},
                         {"F8_E8M0", 8, DType::undefined},
                         {"I16", 16, DType::int16},
                         {"U16", 16, DType::uint16},
                         {"F16", 16, DType::float16},
                         {"BF16", 16, DType::bfloat16},
                         {"I32", 32, DType::int32},
                         {"U32", 32, DType::uint32},
                         {"F32", 32, DType::float32},
                         {"C64", 64, DType::complex64},
                         {"F64", 64, DType::float64},
                         {"I64", 64, DType::int64},
                         {"U64", 64, DType::uint64},
                         {"F4", 4, DType::float4e2m1},
                         {"F6_E2M3", 6, DType::undefined},
                         {"F6_E3M2", 6, DType::undefined}}) {
    const int bytes = 4 * row.bits / 8;
    const std::string end = std::to_string(bytes);
    const auto file = open_safetensors(
        safetensors(R"({"x":{"dtype":")"s + row.name + R"(","shape":[2,2],"data_offsets":[0,)" + end + "]}}",
                    std::string(bytes, 7)));
    EXPECT_EQ(file.entries()[0].dtype, row.dtype) << row.name;
    EXPECT_EQ(file.tensor(0).bytes.size(), static_cast<std::size_t>(bytes));
    if (row.dtype != DType::undefined) {
      EXPECT_EQ(safetensors_type(row.dtype), row.name);
    }
    // Written anew from names, types and shapes, it is the same.
    EXPECT_EQ(SafetensorsLayout::of(file.entries()).header.substr(0, 20), file.layout().header.substr(0, 20));
  }
  EXPECT_EQ(safetensors_type(DType::string), "");
}

TEST(Safetensors, ReadsScalarsEmptyTensorsAndHeadersInAnyOrder) {
  const auto file = open_safetensors(
      safetensors("{\"b\":{\"data_offsets\":[1,3],\"shape\":[],\"dtype\":\"I16\"},\r\n\t\"a\":"
                  R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]},"none":{"dtype":"F32","shape":[0,7],)"
                  R"("data_offsets":[3,3]}} )"
                  "\n",
                  "\x05\x01\x02"));
  ASSERT_EQ(file.entries().size(), 3u);
  EXPECT_EQ(file.entries()[0].name, "a");
  EXPECT_EQ(element_as_int(file.tensor(1), 0), 0x0201);
  EXPECT_EQ(file.entries()[2].elements(), 0);
  EXPECT_FALSE(file.layout().metadata);
  EXPECT_EQ(open_safetensors(safetensors("{}      ", "")).entries().size(), 0u);
}

TEST(Safetensors, WritesHeadersAsTheReferenceDoes) {
  const SafetensorsFile file = open_safetensors(two);
  EXPECT_EQ(SafetensorsLayout::of(file.entries(), file.layout().metadata).header, two_header);
  EXPECT_EQ(SafetensorsLayout::of({}).header, "{}      ");
  EXPECT_EQ(SafetensorsLayout::of({}, SafetensorsMetadata{}).header, R"({"__metadata__":{}}     )");
  const std::string control = SafetensorsLayout::of({}, SafetensorsMetadata{{"\x01\x1f\b\f\t\x7f/", "\\"}}).header;
  EXPECT_EQ(control, "{\"__metadata__\":{\"\\u0001\\u001f\\b\\f\\t\x7f/\":\"\\\\\"}}  ");
}

TEST(Safetensors, RoundTripsByteForByte) {
  const test::Scratch scratch;
  const std::string odd = safetensors(R"({ "x" : {"shape":[2],"dtype":"U8","data_offsets":[0,2]} } )", "\x01\x02");
  for (const std::string& bytes : {two, odd}) {
    put(scratch / "in", bytes);
    const SafetensorsFile file(scratch / "in");
    SafetensorsWriter writer(scratch / "out", file.layout());
    for (std::size_t i = 0; i < file.entries().size(); ++i) writer.write(file.bytes(i));
    writer.commit();
    EXPECT_EQ(get(scratch / "out"), bytes);
    EXPECT_TRUE(is_safetensors(scratch / "out"));
  }
}

TEST(Safetensors, WritesTensors) {
  const test::Scratch scratch;
  const std::vector<float> one{1, -2};
  const std::vector<std::int64_t> steps{5};
  write_safetensors(
      {{"w", tensor::Tensor::of<float>(tensor::DType::float32, {1, 2}, one)}, {"step", tensor::Tensor::ints(steps)}},
      scratch / "out", SafetensorsMetadata{{"format", "pt"}});
  EXPECT_EQ(get(scratch / "out"),
            safetensors(R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                        R"("step":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}})",
                        "\x00\x00\x80\x3f\x00\x00\x00\xc0\x05\x00\x00\x00\x00\x00\x00\x00"s));
}

TEST(Safetensors, WriterCountsBytesAndLeavesTheTargetOnFailure) {
  const test::Scratch scratch;
  put(scratch / "out", "old");
  {
    SafetensorsWriter writer(scratch / "out", open_safetensors(two).layout());
    writer.write(std::as_bytes(std::span(two_data).first(13)));
    EXPECT_EQ(message([&] { writer.commit(); }), (scratch / "out") + ": expected 1 more bytes of tensors, found none");
    EXPECT_EQ(message([&] { writer.write(std::as_bytes(std::span(two_data).first(2))); }),
              (scratch / "out") + ": expected at most 1 more bytes of tensors, found 2");
  }
  EXPECT_EQ(get(scratch / "out"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / ""), {}), 1);
  const auto named = [](const char* name) {
    SafetensorsEntry out;
    out.name = name;
    out.type = "U8";
    return out;
  };
  EXPECT_EQ(message([&] {
              SafetensorsLayout::of({named("x"), named("y"), named("x")});
            }),
            "two tensors are named \"x\"");
  EXPECT_EQ(message([&] { SafetensorsLayout::of({named("__metadata__")}); }),
            "\"__metadata__\" is no name for a tensor");
  EXPECT_EQ(message([&] { SafetensorsLayout::of({named("\xff")}); }),
            "expected names and metadata in UTF-8, found other bytes");
  EXPECT_EQ(message([&] {
              SafetensorsLayout::of({}, SafetensorsMetadata{{"k", "1"}, {"k", "2"}});
            }),
            "two texts of the metadata are named \"k\"");
  EXPECT_EQ(message([&] {
              write_safetensors({{"s", {tensor::DType::string, {0}, {}, nullptr}}}, scratch / "out");
            }),
            (scratch / "out") + ": tensor \"s\": safetensors has no type for string");
}

}  // namespace
}  // namespace coppice::formats
