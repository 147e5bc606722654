#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/stat.h>

#include "coppice/graph/builder.hpp"

#include "../support/scratch.hpp"
#include "formats/onnx/wire.hpp"
#include "onnx_support.hpp"

namespace coppice::formats {
namespace {
namespace fs = std::filesystem;
using External = WriteOptions::External;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void add_entry(onnx::TensorProto& tensor, const std::string& key, const std::string& value) {
  auto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

/// A float32 2x2 tensor whose 16 bytes are elsewhere.
onnx::TensorProto external_tensor(const std::string& location, const std::string& offset = {},
                                  const std::string& length = {}) {
  onnx::TensorProto out = raw_tensor(onnx::TensorProto::FLOAT, {2, 2}, "");
  out.clear_raw_data();
  out.set_data_location(onnx::TensorProto::EXTERNAL);
  add_entry(out, "location", location);
  if (!offset.empty()) add_entry(out, "offset", offset);
  if (!length.empty()) add_entry(out, "length", length);
  return out;
}

std::string entry_of(const onnx::TensorProto& tensor, const std::string& key) {
  for (const auto& entry : tensor.external_data())
    if (entry.key() == key) return entry.value();
  return "none";
}

class OnnxExternal : public testing::Test {
 protected:
  std::string save(const onnx::ModelProto& proto, const std::string& name = "m.onnx") {
    spill(scratch / name, proto.SerializeAsString());
    return scratch / name;
  }
  std::string error(const onnx::TensorProto& tensor) {
    const std::string path = save(add_model(tensor));
    const std::string message = error_of([&] { read_onnx(path); });
    const std::string start = path + ": initializer \"w\": ";
    EXPECT_EQ(message.substr(0, start.size()), start) << message;
    return message.substr(std::min(start.size(), message.size()));
  }
  static std::string bytes_of_w(const graph::Model& model) {
    const auto bytes = model.graph.constant(model.graph.find("w"))->bytes.span();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  test::Scratch scratch;
};

TEST_F(OnnxExternal, IsReadFromTheSideFile) {
  spill(scratch / "w.bin", "0123456789abcdefghijklmnop");
  const graph::Model model = read_onnx(save(add_model(external_tensor("w.bin", "4", "16"))));
  EXPECT_EQ(bytes_of_w(model), "456789abcdefghij");
  EXPECT_TRUE(model.graph.initializers[0].external);
  EXPECT_EQ(model.source_bytes, fs::file_size(scratch / "m.onnx") + 26);
  EXPECT_EQ(bytes_of_w(read_onnx(save(add_model(external_tensor("w.bin"))))), "0123456789abcdef");
}

TEST_F(OnnxExternal, MayLieInAFolderBelow) {
  fs::create_directory(scratch / "data");
  spill(scratch / "data/w.bin", std::string(16, 'q'));
  EXPECT_EQ(bytes_of_w(read_onnx(save(add_model(external_tensor("data/w.bin"))))), std::string(16, 'q'));
  EXPECT_EQ(bytes_of_w(read_onnx(save(add_model(external_tensor("./data/w.bin"))))), std::string(16, 'q'));
}

TEST_F(OnnxExternal, MustStayInsideTheFolder) {
  spill(scratch / "w.bin", std::string(16, 'q'));
  fs::create_directory(scratch / "inner");
  const auto expect_outside = [&](const std::string& location) {
    EXPECT_EQ(error(external_tensor(location)),
              "external data in \"" + location + "\": expected a path inside the model's folder");
  };
  expect_outside("../w.bin");
  expect_outside("inner/../../w.bin");
  expect_outside("inner/../w.bin");
  expect_outside(scratch / "w.bin");
  expect_outside("");
  EXPECT_EQ(error(external_tensor(std::string("w.bin\0x", 7))),
            "external data in \"w.bin?x\": expected a path inside the model's folder");
}

TEST_F(OnnxExternal, LinksMayNotLeadOut) {
  const test::Scratch elsewhere;
  spill(elsewhere / "secret", std::string(16, 's'));
  fs::create_symlink(elsewhere / "secret", scratch / "w.bin");
  EXPECT_EQ(error(external_tensor("w.bin")),
            "external data in \"w.bin\": the link leads out of the model's folder, to " +
                fs::canonical(elsewhere / "secret").string() + "; put a copy in its place");
  fs::create_directory_symlink(elsewhere / "", scratch / "folder");
  EXPECT_NE(error(external_tensor("folder/secret")).find("leads out"), std::string::npos);
  // A folder that only begins with the same letters is another one.
  spill(scratch / "real.bin", std::string(16, 'r'));
  fs::create_symlink("real.bin", scratch / "inside.bin");
  EXPECT_EQ(bytes_of_w(read_onnx(save(add_model(external_tensor("inside.bin"))))), std::string(16, 'r'));
}

TEST_F(OnnxExternal, RefusesWhatIsNotThere) {
  spill(scratch / "w.bin", std::string(20, 'q'));
  EXPECT_EQ(error(external_tensor("gone.bin")), "external data in \"gone.bin\": No such file or directory");
  EXPECT_EQ(error(external_tensor("w.bin", "8")),
            "external data in \"w.bin\": expected 16 bytes at offset 8, the file has 20");
  EXPECT_EQ(error(external_tensor("w.bin", "18446744073709551615")),
            "external data in \"w.bin\": expected 16 bytes at offset 18446744073709551615, the file has 20");
  EXPECT_EQ(error(external_tensor("w.bin", "0", "15")), "external data: expected a length of 16, found 15");
  EXPECT_EQ(error(external_tensor("w.bin", "-4")), "external data: expected a number as offset, found \"-4\"");
  EXPECT_EQ(error(external_tensor("w.bin", "0", "1e1")), "external data: expected a number as length, found \"1e1\"");
  fs::create_directory(scratch / "folder");
  EXPECT_NE(error(external_tensor("folder")).find("expected a regular file"), std::string::npos);
  ASSERT_EQ(mkfifo((scratch / "pipe").c_str(), 0600), 0);
  EXPECT_NE(error(external_tensor("pipe")).find("expected a regular file"), std::string::npos);
  onnx::TensorProto both = external_tensor("w.bin");
  both.set_raw_data(std::string(16, 'r'));
  EXPECT_EQ(error(both), "is external but has data inside too");
}

TEST_F(OnnxExternal, IsRefusedWithoutAFolder) {
  EXPECT_EQ(read_error(add_model(external_tensor("w.bin"))),
            "m.onnx: initializer \"w\": external data in \"w.bin\": there is no folder to look in");
}

TEST_F(OnnxExternal, KeepsItsFormUnderTheNewName) {
  spill(scratch / "w.bin", std::string(4, '.') + std::string(16, 'q'));
  onnx::ModelProto proto = add_model(external_tensor("w.bin", "4", "16"));
  add_entry(*proto.mutable_graph()->mutable_initializer(0), "checksum", "1234");
  add_entry(*proto.mutable_graph()->mutable_initializer(0), "basepath", "/somewhere");
  *proto.mutable_graph()->add_initializer() = raw_tensor(onnx::TensorProto::FLOAT, {1}, "abcd");
  proto.mutable_graph()->mutable_initializer(1)->set_name("inside");
  write_onnx(read_onnx(save(proto)), scratch / "out.onnx");

  onnx::ModelProto out;
  ASSERT_TRUE(out.ParseFromString(slurp(scratch / "out.onnx")));
  const onnx::TensorProto& w = out.graph().initializer(0);
  EXPECT_EQ(w.data_location(), onnx::TensorProto::EXTERNAL);
  EXPECT_EQ(entry_of(w, "location"), "out.onnx.data");
  EXPECT_EQ(entry_of(w, "offset"), "0");
  EXPECT_EQ(entry_of(w, "length"), "16");
  EXPECT_EQ(entry_of(w, "checksum"), "none");
  EXPECT_EQ(entry_of(w, "basepath"), "/somewhere");
  EXPECT_EQ(out.graph().initializer(1).raw_data(), "abcd");
  EXPECT_EQ(slurp(scratch / "out.onnx.data"), std::string(16, 'q'));
  EXPECT_EQ(bytes_of_w(read_onnx(scratch / "out.onnx")), std::string(16, 'q'));
}

graph::Model model_of_sizes(const std::vector<std::int64_t>& sizes) {
  graph::Builder b("g");
  graph::ValueId sum = b.input("x", graph::DType::uint8, {{1, {}}});
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::vector<std::uint8_t> data(static_cast<std::size_t>(sizes[i]), static_cast<std::uint8_t>(i + 1));
    const auto w =
        b.initializer("w" + std::to_string(i), graph::Tensor::of<std::uint8_t>(graph::DType::uint8, {sizes[i]}, data));
    sum = b.op("Add", {sum, w});
  }
  b.output(sum, graph::DType::uint8, {{-1, {}}});
  return std::move(b).finish();
}

TEST_F(OnnxExternal, OffsetsAreAligned) {
  graph::Model model = model_of_sizes({10, 100, 1 << 20, 5});
  for (graph::Initializer& initializer : model.graph.initializers) initializer.external = true;
  // The second tensor a second time: one place for both.
  model.graph.initializers[3].tensor = model.graph.initializers[1].tensor;
  write_onnx(model, scratch / "out.onnx");
  onnx::ModelProto out;
  ASSERT_TRUE(out.ParseFromString(slurp(scratch / "out.onnx")));
  std::vector<std::string> offsets;
  for (const auto& tensor : out.graph().initializer()) offsets.push_back(entry_of(tensor, "offset"));
  EXPECT_EQ(offsets, (std::vector<std::string>{"0", "64", "4096", "64"}));
  const std::string side = slurp(scratch / "out.onnx.data");
  EXPECT_EQ(side.size(), 4096u + (1u << 20));
  EXPECT_EQ(side.substr(0, 65), std::string(10, 1) + std::string(54, 0) + std::string(1, 2));
}

TEST_F(OnnxExternal, CanBeChosenWhenWriting) {
  const graph::Model model = model_of_sizes({1023, 1024});
  write_onnx(model, scratch / "keep.onnx");
  EXPECT_FALSE(fs::exists(scratch / "keep.onnx.data"));
  write_onnx(model, scratch / "large.onnx", {External::large});
  EXPECT_EQ(fs::file_size(scratch / "large.onnx.data"), 1024u);
  const graph::Model again = read_onnx(scratch / "large.onnx");
  EXPECT_FALSE(again.graph.initializers[0].external);
  EXPECT_TRUE(again.graph.initializers[1].external);
  write_onnx(again, scratch / "none.onnx", {External::none});
  EXPECT_FALSE(fs::exists(scratch / "none.onnx.data"));
  EXPECT_EQ(slurp(scratch / "none.onnx"), slurp(scratch / "keep.onnx"));
  EXPECT_EQ(write_onnx_bytes(again), slurp(scratch / "keep.onnx"));
}

TEST_F(OnnxExternal, AttributesMayBeExternalToo) {
  spill(scratch / "c.bin", std::string(16, 'c'));
  onnx::ModelProto proto = empty_model();
  auto& attribute = *add_node(*proto.mutable_graph(), "Constant", {}, {"c"}).add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  *attribute.mutable_t() = external_tensor("c.bin");
  add_node(*proto.mutable_graph(), "Add", {"x", "c"}, {"y"});
  write_onnx(read_onnx(save(proto)), scratch / "out.onnx");
  onnx::ModelProto out;
  ASSERT_TRUE(out.ParseFromString(slurp(scratch / "out.onnx")));
  EXPECT_EQ(entry_of(out.graph().node(0).attribute(0).t(), "location"), "out.onnx.data");
  EXPECT_EQ(slurp(scratch / "out.onnx.data"), std::string(16, 'c'));
}

TEST_F(OnnxExternal, ReadingAndWritingTheSamePath) {
  graph::Model first = model_of_sizes({5000, 3000});
  for (graph::Initializer& initializer : first.graph.initializers) initializer.external = true;
  const std::string path = scratch / "m.onnx";
  write_onnx(first, path);
  graph::Model model = read_onnx(path);
  std::swap(model.graph.initializers[0].tensor, model.graph.initializers[1].tensor);
  write_onnx(model, path);
  const graph::Model again = read_onnx(path);
  EXPECT_EQ(again.graph.initializers[0].tensor.shape, graph::Shape{3000});
  EXPECT_EQ(again.graph.initializers[0].tensor.bytes.span()[2999], std::byte{2});
  EXPECT_EQ(again.graph.initializers[1].tensor.bytes.span()[4999], std::byte{1});
  // The first mapping still shows the old bytes.
  EXPECT_EQ(model.graph.initializers[0].tensor.bytes.span()[2999], std::byte{2});
}

TEST_F(OnnxExternal, AFailedWriteLeavesTheOldFiles) {
  graph::Model model = model_of_sizes({5000});
  model.graph.initializers[0].external = true;
  const std::string path = scratch / "m.onnx";
  write_onnx(model, path);
  const std::string old_model = slurp(path), old_side = slurp(path + ".data");
  model.graph.initializers[0].tensor.bytes = bytes_of(std::string(5000, 'n'));
  model.graph.extra = "\xff";  // not a message
  EXPECT_EQ(error_of([&] { write_onnx(model, path); }).substr(0, path.size() + 2), path + ": ");
  EXPECT_EQ(slurp(path), old_model);
  EXPECT_EQ(slurp(path + ".data"), old_side);
  // The side file's place is taken by a folder: the model file is not touched either.
  model.graph.extra.clear();
  fs::remove(path + ".data");
  fs::create_directory(path + ".data");
  EXPECT_EQ(error_of([&] { write_onnx(model, path); }), path + ".data: is a folder");
  EXPECT_EQ(slurp(path), old_model);
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch / ""), {}), 2) << "temporary files are gone";
}

// Reading costs nothing for bytes that are not touched: the file is a hole of 3 GB with a model around it.
TEST_F(OnnxExternal, FilesOverTwoGigabytesCanBeRead) {
  constexpr std::int64_t size = 3'000'000'000;
  using namespace onnx_detail;
  const auto key = [](std::string& out, std::uint32_t field) { append_varint(out, field << 3 | 2); };
  onnx::TensorProto w = raw_tensor(onnx::TensorProto::UINT8, {size}, "");
  w.clear_raw_data();
  w.set_name("w");
  std::string tensor = w.SerializeAsString();
  key(tensor, 9);
  append_varint(tensor, size);
  onnx::ModelProto rest = empty_model();
  add_node(*rest.mutable_graph(), "Add", {"x", "w"}, {"y"});
  std::string graph = rest.graph().SerializeAsString();
  rest.clear_graph();
  key(graph, 5);
  append_varint(graph, tensor.size() + size);
  graph += tensor;
  std::string file = rest.SerializeAsString();
  key(file, 7);
  append_varint(file, graph.size() + size);
  file += graph;
  spill(scratch / "big.onnx", file);
  fs::resize_file(scratch / "big.onnx", file.size() + size);
  const graph::Model model = read_onnx(scratch / "big.onnx");
  const graph::Tensor& big = *model.graph.constant(model.graph.find("w"));
  EXPECT_EQ(big.bytes.size(), static_cast<std::size_t>(size));
  EXPECT_EQ(big.bytes.span().back(), std::byte{0});
}

TEST_F(OnnxExternal, UnwritableTarget) {
  EXPECT_EQ(error_of([&] { write_onnx(model_of_sizes({5}), scratch / "no/such/folder.onnx"); }),
            (scratch / "no/such/folder.onnx") + ": cannot write: No such file or directory");
}

}  // namespace
}  // namespace coppice::formats
