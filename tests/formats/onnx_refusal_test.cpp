#include "../support/scratch.hpp"
#include "onnx_support.hpp"

namespace coppice::formats {
namespace {

onnx::ModelProto valid_model() {
  return add_model(raw_tensor(onnx::TensorProto::FLOAT, {2, 2}, std::string(16, 'a')));
}

TEST(OnnxRefusal, SaysWhatAWrongFileLooksLike) {
  const auto expect = [](const std::string& bytes, const std::string& found) {
    EXPECT_EQ(read_error(bytes), "m.onnx: expected an ONNX model, found " + found);
  };
  const std::string padding(64, '\xff');
  expect("", "an empty file");
  expect("PK\x03\x04" + padding, "a zip archive, such as a PyTorch checkpoint");
  expect("\x80\x02" + padding, "a Python pickle, such as an old PyTorch checkpoint");
  expect("\x89HDF\r\n" + padding, "an HDF5 file, such as a Keras model");
  expect(std::string("\x10\0\0\0\0\0\0\0{\"a\":{}}         ", 25), "a safetensors file");
  expect(std::string("\x1c\0\0\0TFL3", 8) + padding, "a TensorFlow Lite model");
  expect("version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
         "a Git LFS pointer: the file itself was not fetched");
  expect("import torch\n", "a text file");
  expect(std::string(100, '\0'), "zeros");
}

TEST(OnnxRefusal, RandomBytes) {
  std::uint32_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::string bytes(200, '\0');
    for (char& c : bytes) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
    EXPECT_EQ(read_error(bytes).substr(0, 32), "m.onnx: expected an ONNX model: ") << round;
  }
}

TEST(OnnxRefusal, EveryTruncation) {
  const std::string file = valid_model().SerializeAsString();
  for (std::size_t size = 1; size < file.size(); ++size) {
    const std::string error = read_error(file.substr(0, size));
    EXPECT_EQ(error.substr(0, 30), "m.onnx: expected an ONNX model") << size << ": " << error;
  }
}

TEST(OnnxRefusal, SaysWhereTheFileBreaks) {
  std::string file = valid_model().SerializeAsString();
  file.resize(file.size() - 20);
  EXPECT_NE(read_error(file).find("truncated or damaged at byte "), std::string::npos) << read_error(file);
}

TEST(OnnxRefusal, NoGraph) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  EXPECT_EQ(read_error(model), "m.onnx: expected an ONNX model: there is no graph in it");
}

TEST(OnnxRefusal, NoOperatorSet) {
  onnx::ModelProto model = valid_model();
  model.clear_opset_import();
  EXPECT_EQ(read_error(model), "m.onnx: expected an ONNX model: it imports no operator set");
  model.set_ir_version(2);  // that version had none
  EXPECT_EQ(read_error(model), "no error");
}

TEST(OnnxRefusal, DuplicateNames) {
  onnx::ModelProto two_nodes = valid_model();
  add_node(*two_nodes.mutable_graph(), "Neg", {"x"}, {"y"});
  EXPECT_EQ(read_error(two_nodes), "m.onnx: graph \"g\": value \"y\" is defined twice");

  onnx::ModelProto two_initializers = valid_model();
  *two_initializers.mutable_graph()->add_initializer() = two_initializers.graph().initializer(0);
  EXPECT_EQ(read_error(two_initializers), "m.onnx: value \"w\" is defined twice");

  onnx::ModelProto two_inputs = valid_model();
  *two_inputs.mutable_graph()->add_input() = two_inputs.graph().input(0);
  EXPECT_EQ(read_error(two_inputs), "m.onnx: graph \"g\": value \"x\" is defined twice");

  onnx::ModelProto node_and_input = valid_model();
  add_node(*node_and_input.mutable_graph(), "Neg", {"y"}, {"x"});
  EXPECT_NE(read_error(node_and_input), "no error");
}

TEST(OnnxRefusal, Cycles) {
  onnx::ModelProto model = empty_model();
  add_node(*model.mutable_graph(), "Add", {"x", "b"}, {"a"}).set_name("first");
  add_node(*model.mutable_graph(), "Neg", {"a"}, {"b"});
  add_node(*model.mutable_graph(), "Neg", {"b"}, {"y"});
  EXPECT_EQ(read_error(model), "m.onnx: graph \"g\": Add \"first\" is part of a cycle or waits for one");
}

TEST(OnnxRefusal, NamesThatNothingDefines) {
  onnx::ModelProto operand = empty_model();
  add_node(*operand.mutable_graph(), "Add", {"x", "ghost"}, {"y"});
  EXPECT_EQ(read_error(operand), "m.onnx: graph \"g\": Add \"y\": operand \"ghost\" is not defined before it");
  onnx::ModelProto output = empty_model();
  EXPECT_EQ(read_error(output), "m.onnx: graph \"g\": output \"y\" is never computed");
}

TEST(OnnxRefusal, NamelessParts) {
  onnx::ModelProto input = valid_model();
  input.mutable_graph()->mutable_input(0)->clear_name();
  EXPECT_EQ(read_error(input), "m.onnx: graph \"g\": an input without a name");
  onnx::ModelProto initializer = valid_model();
  initializer.mutable_graph()->mutable_initializer(0)->clear_name();
  EXPECT_EQ(read_error(initializer), "m.onnx: graph \"g\": an initializer without a name");
  onnx::ModelProto node = valid_model();
  node.mutable_graph()->mutable_node(0)->set_name("n");
  node.mutable_graph()->mutable_node(0)->clear_op_type();
  EXPECT_EQ(read_error(node), "m.onnx: node \"n\": has no operator");
}

onnx::ModelProto nested(int depth) {
  onnx::ModelProto model = empty_model();
  onnx::GraphProto* graph = model.mutable_graph();
  for (int i = 0; i < depth; ++i) {
    auto& attribute = *add_node(*graph, "If", {"x"}, {"y"}).add_attribute();
    attribute.set_name("then_branch");
    attribute.set_type(onnx::AttributeProto::GRAPH);
    graph = attribute.mutable_g();
    graph->add_output()->set_name("y");
  }
  add_node(*graph, "Neg", {"x"}, {"y"});
  return model;
}

TEST(OnnxRefusal, DeepNesting) {
  EXPECT_EQ(read_error(nested(30)), "no error");
  EXPECT_EQ(read_error(nested(40)), "m.onnx: expected an ONNX model: messages are nested more than 100 deep");
  EXPECT_EQ(read_error(nested(20000)), "m.onnx: expected an ONNX model: messages are nested more than 100 deep");
}

TEST(OnnxRefusal, MessagesStayOneLine) {
  onnx::ModelProto model = empty_model();
  add_node(*model.mutable_graph(), "Add", {"x", "a\nb" + std::string(10000, 'c')}, {"y"});
  const std::string error = read_error(model);
  EXPECT_NE(error.find("\"a?bccc"), std::string::npos);
  EXPECT_LT(error.size(), 2100u);
}

TEST(OnnxRefusal, MissingFile) {
  const test::Scratch scratch;
  const std::string path = scratch / "none.onnx";
  EXPECT_EQ(error_of([&] { read_onnx(path); }), path + ": cannot open: No such file or directory");
}

}  // namespace
}  // namespace coppice::formats
