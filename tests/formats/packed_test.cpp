#include "coppice/formats/packed.hpp"

#include <cmath>
#include <filesystem>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/graph/builder.hpp"

#include "formats/safetensors_support.hpp"

namespace coppice::test {
namespace {

using formats::NamedTensor;
using formats::SafetensorsFile;
using formats::SafetensorsSet;
using tensor::DType;
using tensor::Tensor;

Tensor of_bytes(DType dtype, tensor::Shape shape, const std::string& bytes) {
  return {dtype, std::move(shape), tensor::Bytes::copy(std::as_bytes(std::span(bytes))), nullptr};
}

/// About one element in `one_in` has bits.
Tensor sparse(DType dtype, tensor::Shape shape, unsigned one_in, unsigned seed) {
  std::mt19937 random(seed);
  const auto width = static_cast<std::size_t>(tensor::bit_width(dtype)) / 8;
  std::string bytes(tensor::byte_size(dtype, tensor::element_count(shape)), '\0');
  for (std::size_t i = 0; i < bytes.size(); i += width)
    if (random() % one_in == 0)
      for (std::size_t k = 0; k < width; ++k) bytes[i + k] = static_cast<char>(random());
  return of_bytes(dtype, std::move(shape), bytes);
}

formats::PackReport pack(const std::string& from, const std::string& to) {
  return formats::pack_checkpoint(SafetensorsSet(from), to);
}
void unpack(const std::string& from, const std::string& to) {
  formats::unpack_checkpoint(SafetensorsSet(from), to);
}

TEST(Packed, StandsAsTheLayoutSays) {
  const Scratch scratch;
  std::vector<float> numbers(3 * 100);
  numbers[2] = 7;
  numbers[9] = -0.0f;
  numbers[210] = std::numeric_limits<float>::quiet_NaN();
  formats::write_safetensors({{"w", Tensor::of<float>(DType::float32, {3, 100}, numbers)}}, scratch / "a.safetensors",
                             {{{"format", "pt"}}});
  const formats::PackReport report = pack(scratch / "a.safetensors", scratch / "p.safetensors");
  EXPECT_EQ(report.packed, 1u);
  EXPECT_EQ(report.bytes_after, get(scratch / "p.safetensors").size());
  const SafetensorsFile file(scratch / "p.safetensors");
  ASSERT_EQ(file.entries().size(), 4u);
  const auto tensor = [&](const std::string& name) { return file.tensor(*file.find(name)); };
  EXPECT_EQ(tensor("w.compressed").shape, tensor::Shape{3});
  const std::vector<float> values{7, -0.0f, numbers[210]};
  EXPECT_EQ(text_of(tensor("w.compressed").bytes), std::string(reinterpret_cast<const char*>(values.data()), 12));
  EXPECT_EQ(tensor("w.bitmask").shape, (tensor::Shape{3, 13}));
  std::string bits(39, '\0');
  bits[0] = 4;       // element 2
  bits[1] = 2;       // element 9
  bits[26 + 1] = 4;  // row 2, element 10
  EXPECT_EQ(text_of(tensor("w.bitmask").bytes), bits);
  EXPECT_EQ(element_as_int(tensor("w.shape"), 1), 100);
  for (const auto& [row, before] : {std::pair(0, 0), {1, 2}, {2, 2}})
    EXPECT_EQ(element_as_int(tensor("w.row_offsets"), row), before);
  EXPECT_EQ(file.layout().metadata->front(), (std::pair<std::string, std::string>("format", "pt")));
  EXPECT_EQ(formats::packed_kind(file), formats::Packed::checkpoint);
}

TEST(Packed, EveryTypeAndShapeComesBackByteForByte) {
  const Scratch scratch;
  const std::string whole = scratch / "a.safetensors", packed = scratch / "p.safetensors", again = scratch / "b";
  unsigned seed = 0;
  for (const DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int64, DType::int32,
                            DType::int16, DType::int8, DType::uint64, DType::uint32, DType::uint16, DType::uint8,
                            DType::boolean, DType::float8e4m3fn, DType::complex64}) {
    std::vector<NamedTensor> tensors;
    for (const tensor::Shape& shape :
         {tensor::Shape{}, {0}, {1}, {3, 0, 2}, {7}, {4097}, {63, 65}, {64, 64}, {2, 3, 5, 129}, {1, 1, 70001}})
      for (const unsigned one_in : {1u, 3u, 1000000u})
        tensors.push_back({"t" + std::to_string(++seed), sparse(dtype, shape, one_in, seed)});
    formats::write_safetensors(tensors, whole, {{{"a", "\"quoted\"\n"}, {"coppice", "masks 1"}}});
    const formats::PackReport report = pack(whole, packed);
    EXPECT_GT(report.packed, 6u);
    EXPECT_LT(get(packed).size(), get(whole).size());
    unpack(packed, again);
    EXPECT_EQ(get(again), get(whole)) << name(dtype);
  }
}

TEST(Packed, ShardsIndexAndHeadersComeBack) {
  const Scratch scratch;
  for (const char* folder : {"in", "out", "again"}) std::filesystem::create_directory(scratch / folder);
  const std::string a = scratch / "in/a.safetensors", b = scratch / "in/b.safetensors";
  formats::write_safetensors({{"x", sparse(DType::float32, {40, 50}, 4, 1)},
                              {"x.bitmask", sparse(DType::int8, {3}, 1, 2)},
                              {"v", sparse(DType::float32, {40, 50}, 4, 4)}},
                             a);
  // A header with spaces, and types of which only the size is known.
  put(b, safetensors(R"({  "y": {"shape":[40,60],"dtype":"BF16","data_offsets":[3,4803]},
                     "z":{"dtype":"F8_E8M0","shape":[3],"data_offsets":[0,3]},
                     "v.shape":{"dtype":"U8","shape":[2],"data_offsets":[4803,4805]}})",
                     "abc" + text_of(sparse(DType::bfloat16, {40, 60}, 9, 3).bytes) + "de"));
  const std::string index =
      R"({"weight_map": {"y":"b.safetensors", "x":"a.safetensors","x.bitmask":"a.safetensors","z":"b.safetensors",
          "v":"a.safetensors", "v.shape":"b.safetensors"}})";
  put(scratch / "in/m.safetensors.index.json", index);
  EXPECT_EQ(pack(scratch / "in", scratch / "out").packed, 1u);  // not x and v, whose parts would take others' names
  EXPECT_GT(SafetensorsSet(scratch / "out").shards().size(), 1u);
  unpack(scratch / "out", scratch / "again");
  EXPECT_EQ(get(scratch / "again/a.safetensors"), get(a));
  EXPECT_EQ(get(scratch / "again/b.safetensors"), get(b));
  EXPECT_EQ(get(scratch / "again/m.safetensors.index.json"), index);
}

/// The message of packing or unpacking to a place, and that no byte of the folder changed.
template <class Action>
std::string refused(const std::string& folder, const Action& action) {
  const auto all = [&] {
    std::map<std::string, std::string> out;
    for (const auto& file : std::filesystem::directory_iterator(folder)) out[file.path()] = get(file.path());
    return out;
  };
  const auto before = all();
  const std::string out = message(action);
  EXPECT_EQ(all(), before);
  return out;
}

TEST(Packed, NothingTakesThePlaceOfWhatIsRead) {
  const Scratch scratch;
  for (const char* folder : {"in", "out", "one"}) std::filesystem::create_directory(scratch / folder);
  const std::string expected = ": expected another place than that of what is read, found its ";
  for (const char* name : {"a", "b"})
    formats::write_safetensors({{name, sparse(DType::float32, {40, 50}, 4, 1)}},
                               scratch / ("in/" + std::string(name) + ".safetensors"));
  put(scratch / "in/m.safetensors.index.json", R"({"weight_map": {"a":"a.safetensors", "b":"b.safetensors"}})");
  // The folder of an index, with a shard that another name leads to, and a file that a folder or a link leads to.
  const std::string in = scratch / "in", one = scratch / "one";
  EXPECT_EQ(refused(in, [&] { pack(in + "/m.safetensors.index.json", in); }),
            in + expected + "m.safetensors.index.json");
  std::filesystem::create_hard_link(in + "/b.safetensors", scratch / "out/b.safetensors");
  EXPECT_EQ(refused(in, [&] { pack(in, scratch / "out"); }), (scratch / "out") + expected + "b.safetensors");
  std::filesystem::remove(scratch / "out/b.safetensors");
  pack(in, scratch / "out");
  EXPECT_NE(refused(scratch / "out", [&] { unpack(scratch / "out", scratch / "out"); }).find(expected),
            std::string::npos);
  std::filesystem::copy_file(in + "/a.safetensors", one + "/a.safetensors");
  std::filesystem::create_symlink("a.safetensors", one + "/link");
  for (const char* target : {"/a.safetensors", "/link", "/./a.safetensors"})
    EXPECT_EQ(refused(one, [&] { pack(one, one + target); }),
              one + target + expected + std::filesystem::path(target).filename().string());
}

/// What unpacking says of a packed file in which one text, found once, is replaced by another of its length.
std::string says(const Scratch& scratch, std::string bytes, const std::string& from, const std::string& to) {
  const std::size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  bytes.replace(at, from.size(), to);
  put(scratch / "bad.safetensors", bytes);
  put(scratch / "target", "old");
  const std::string out = message([&] { unpack(scratch / "bad.safetensors", scratch / "target"); });
  EXPECT_EQ(get(scratch / "target"), "old");
  return out;
}

TEST(Packed, RefusesPartsThatDoNotFit) {
  const Scratch scratch;
  std::vector<float> numbers(4 * 100);
  for (const int i : {0, 5, 99, 100, 399}) numbers[static_cast<std::size_t>(i)] = 1;
  formats::write_safetensors({{"w", Tensor::of<float>(DType::float32, {4, 100}, numbers)}}, scratch / "a.safetensors");
  pack(scratch / "a.safetensors", scratch / "p.safetensors");
  const std::string good = get(scratch / "p.safetensors");
  const auto number = [](std::int64_t n) { return std::string(reinterpret_cast<const char*>(&n), 8); };
  const std::string shape = number(4) + number(100), offsets = number(0) + number(3) + number(4) + number(4);
  const std::string bits = std::string("\x21", 1) + std::string(11, '\0') + '\x08';
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& wanted) {
    const std::string found = says(scratch, good, from, to);
    EXPECT_NE(found.find(wanted), std::string::npos) << found;
    EXPECT_EQ(found.find(scratch / "bad.safetensors"), 0u) << found;
  };
  expect(shape, number(100) + number(4), "expected U8 100x1, found U8 4x13");
  expect(shape, number(-4) + number(100), "expected sizes of 0 or more");
  expect(shape, number(INT64_MAX) + number(100), "expected sizes of 0 or more");
  expect(shape, number(4) + number(97), "expected F32 4x100, found F32 4x97");
  expect(offsets, number(1) + number(3) + number(4) + number(4), "row 0: expected 0 values before it, found 1");
  expect(offsets, number(0) + number(2) + number(4) + number(4), "row 0: expected 3 values");
  expect(offsets, number(0) + number(3) + number(INT64_MIN) + number(4), "row 1: expected 1 values");
  expect(offsets, number(0) + number(3) + number(4) + number(INT64_MAX), "row ");
  expect(bits, std::string("\x23", 1) + bits.substr(1), "row 0: expected 4 values, as many as it has bits");
  expect(bits, bits.substr(0, 12) + '\x18', "row 0 of the bits: expected zeros behind its 100 elements");
  expect("\"packed 1\"", "\"packed 2\"", "expected a checkpoint that coppice pack wrote");
  expect("coppice.header", "coppice.heater", "expected the metadata coppice.header, found none");
  expect(R"(\"w\":{)", R"(\"v\":{)", "tensor \"v\" is missing");
  expect(R"(\"data_offsets\":[0,1600])", R"(\"data_offsets\":[0,1604])", "expected 1600 bytes");
  expect("\"w.row_offsets\"", "\"w.row_offsetz\"", "\"w.row_offsets\" is missing");
  const std::string twice = message([&] { pack(scratch / "p.safetensors", scratch / "target"); });
  EXPECT_NE(twice.find("is packed already"), std::string::npos) << twice;
  const std::string plain = message([&] { unpack(scratch / "a.safetensors", scratch / "target"); });
  EXPECT_NE(plain.find("expected a checkpoint that coppice pack wrote"), std::string::npos) << plain;
}

graph::Model model_of(const std::vector<NamedTensor>& weights) {
  graph::Builder b("g");
  std::vector<graph::ValueId> inputs{b.input("x", DType::float32, {{1, {}}})};
  for (const NamedTensor& weight : weights) inputs.push_back(b.initializer(weight.name, weight.tensor));
  b.output(b.op("Custom", inputs), DType::float32, {});
  return std::move(b).finish();
}

TEST(Packed, ModelsComeBack) {
  const Scratch scratch;
  const Tensor texts{DType::string, {1}, {}, std::make_shared<std::vector<std::string>>(1, "text")};
  graph::Model model = model_of({{"w", sparse(DType::float32, {64, 100}, 5, 1)},
                                 {"half", sparse(DType::float16, {31, 3, 3, 3}, 2, 2)},
                                 {"full", sparse(DType::float64, {200}, 1, 3)},
                                 {"zero", sparse(DType::float32, {1000}, 1000000, 4)},
                                 {"small", sparse(DType::float32, {3}, 1, 5)},
                                 {"none", sparse(DType::float32, {0}, 1, 6)},
                                 {"scalar", sparse(DType::float32, {}, 1, 7)},
                                 {"coppice.graph", sparse(DType::float32, {1000}, 3, 8)},
                                 {"packed", of_bytes(DType::int4, {4001}, std::string(2001, '\1'))},
                                 {"wide", of_bytes(DType::complex128, {100}, std::string(1600, '\2'))},
                                 {"texts", texts}});
  for (const bool external : {false, true}) {
    for (const std::size_t i : {0, 4}) model.graph.initializers[i].external = external;  // "w" and "small"
    const formats::PackReport report = formats::pack_model(model, scratch / "p.safetensors");
    EXPECT_EQ(report.packed, 3u);
    EXPECT_EQ(report.tensors, 4u);
    EXPECT_EQ(report.bytes_after, get(scratch / "p.safetensors").size());
    EXPECT_EQ(report.bytes_after, formats::pack_model(model, "").bytes_after);
    const graph::Model again = formats::unpack_model(SafetensorsFile(scratch / "p.safetensors"));
    EXPECT_EQ(formats::write_onnx_bytes(again), formats::write_onnx_bytes(model));
    for (std::size_t i = 0; i < again.graph.initializers.size(); ++i)
      EXPECT_EQ(again.graph.initializers[i].external, model.graph.initializers[i].external) << i;
  }
}

TEST(Packed, RefusesModelsThatDoNotFit) {
  const Scratch scratch;
  formats::pack_model(model_of({{"w", sparse(DType::float32, {64, 100}, 5, 1)}}), scratch / "p.safetensors");
  const std::string good = get(scratch / "p.safetensors");
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& wanted) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    put(scratch / "bad.safetensors", bad);
    const std::string found = message(
        [&] { formats::write_onnx_bytes(formats::unpack_model(SafetensorsFile(scratch / "bad.safetensors"))); });
    EXPECT_NE(found.find(wanted), std::string::npos) << found;
  };
  expect("packed-onnx 1", "packed-onnx 9", "expected a model that coppice pack wrote");
  expect("coppice.graph", "coppice.grass", "expected the tensor coppice.graph");
  expect("\"w.shape\"", "\"w.shade\"", "\"w.shape\" is missing");
  const SafetensorsFile file(scratch / "p.safetensors");
  const std::size_t bits = 8 + file.layout().header.size() + file.entries()[*file.find("w.bitmask")].begin;
  std::string bad = good;
  bad[bits] = static_cast<char>(~bad[bits]);
  put(scratch / "bad.safetensors", bad);
  const graph::Model model = formats::unpack_model(SafetensorsFile(scratch / "bad.safetensors"));
  put(scratch / "target", "old");
  const std::string found = message([&] { formats::write_onnx(model, scratch / "target"); });
  EXPECT_NE(found.find("w.bitmask\": row 0: expected"), std::string::npos) << found;
  EXPECT_EQ(get(scratch / "target"), "old");
}

}  // namespace
}  // namespace coppice::test
