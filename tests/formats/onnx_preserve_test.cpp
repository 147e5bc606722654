#include <google/protobuf/util/message_differencer.h>

#include "formats/onnx/wire.hpp"
#include "onnx_support.hpp"

namespace coppice::formats {
namespace {
using google::protobuf::util::MessageDifferencer;

/// What differs between a model and what is written after reading it; empty for nothing.
std::string difference(const onnx::ModelProto& before) {
  const std::string file = write_onnx_bytes(read(before));
  EXPECT_EQ(write_onnx_bytes(read_onnx(bytes_of(file), "again.onnx")), file);
  onnx::ModelProto after;
  EXPECT_TRUE(after.ParseFromString(file));
  std::string out;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&out);
  differencer.Compare(before, after);
  return out;
}

onnx::TensorProto float_tensor(const std::string& name, int elements) {
  onnx::TensorProto out = raw_tensor(onnx::TensorProto::FLOAT, {elements}, std::string(4 * elements, 'f'));
  out.set_name(name);
  return out;
}

onnx::AttributeProto& add_attribute(onnx::NodeProto& node, const std::string& name,
                                    onnx::AttributeProto::AttributeType type) {
  auto& out = *node.add_attribute();
  out.set_name(name);
  out.set_type(type);
  return out;
}

void add_metadata(google::protobuf::RepeatedPtrField<onnx::StringStringEntryProto>& list) {
  auto& entry = *list.Add();
  entry.set_key("key");
  entry.set_value("value");
}

/// A field of a version of the format that nobody has seen yet.
template <class Proto>
void add_future(Proto& proto) {
  std::string all = proto.SerializeAsString();
  onnx_detail::append_field(all, 900, "future");
  ASSERT_TRUE(proto.ParseFromString(all));
}

TEST(OnnxPreserve, ModelAndGraphFields) {
  onnx::ModelProto m = add_model(float_tensor("w", 2));
  m.set_producer_name("maker");
  m.set_producer_version("1.2");
  m.set_domain("org.example");
  m.set_model_version(7);
  m.set_doc_string("about the model");
  add_metadata(*m.mutable_metadata_props());
  auto& opset = *m.add_opset_import();
  opset.set_domain("com.microsoft");
  opset.set_version(1);
  onnx::GraphProto& g = *m.mutable_graph();
  g.set_doc_string("about the graph");
  auto& annotation = *g.add_quantization_annotation();
  annotation.set_tensor_name("w");
  add_metadata(*annotation.mutable_quant_parameter_tensor_names());
  g.mutable_initializer(0)->set_doc_string("about w");
  g.mutable_node(0)->set_doc_string("about the node");
  g.mutable_node(0)->set_name("node");
  g.mutable_input(0)->set_doc_string("about x");
  add_future(*g.mutable_node(0));
  add_future(*g.mutable_initializer(0));
  add_future(*g.mutable_input(0));
  add_future(g);
  add_future(m);
  EXPECT_EQ(difference(m), "");
}

TEST(OnnxPreserve, TrainingInformation) {
  onnx::ModelProto m = add_model(float_tensor("w", 2));
  auto& training = *m.add_training_info();
  *training.mutable_algorithm()->add_initializer() = float_tensor("rate", 1);
  add_node(*training.mutable_algorithm(), "Neg", {"rate"}, {"r"});
  add_metadata(*training.mutable_update_binding());
  EXPECT_EQ(difference(m), "");
}

TEST(OnnxPreserve, EveryKindOfAttribute) {
  onnx::ModelProto m = empty_model();
  onnx::NodeProto& node = add_node(*m.mutable_graph(), "Op", {"x"}, {"y"});
  node.set_domain("org.example");
  using A = onnx::AttributeProto;
  add_attribute(node, "f", A::FLOAT).set_f(0.5f);
  add_attribute(node, "i", A::INT).set_i(-3);
  add_attribute(node, "zero", A::INT).set_i(0);
  add_attribute(node, "s", A::STRING).set_s(std::string("a\0b", 3));
  add_attribute(node, "empty", A::STRING).set_s("");
  add_attribute(node, "none", A::INTS);
  for (float f : {1.f, 2.f}) add_attribute(node, "fs", A::FLOATS).add_floats(f);
  for (int i : {1, -2}) add_attribute(node, "is", A::INTS).add_ints(i);
  add_attribute(node, "ss", A::STRINGS).add_strings("one");
  *add_attribute(node, "t", A::TENSOR).mutable_t() = float_tensor("with a name", 3);
  auto& tensors = add_attribute(node, "ts", A::TENSORS);
  *tensors.add_tensors() = float_tensor("", 1);
  tensors.mutable_tensors(0)->clear_name();
  *tensors.add_tensors() = float_tensor("second", 2);
  add_node(*add_attribute(node, "g", A::GRAPH).mutable_g(), "Neg", {"x"}, {"z"});
  auto& graphs = add_attribute(node, "gs", A::GRAPHS);
  for (const char* name : {"g0", "g1"}) graphs.add_graphs()->set_name(name);
  auto& sparse = *add_attribute(node, "sparse", A::SPARSE_TENSOR).mutable_sparse_tensor();
  *sparse.mutable_values() = float_tensor("v", 1);
  sparse.add_dims(9);
  *add_attribute(node, "sparses", A::SPARSE_TENSORS).add_sparse_tensors() = sparse;
  add_attribute(node, "type", A::TYPE_PROTO).mutable_tp()->mutable_sequence_type();
  auto& documented = add_attribute(node, "documented", A::INT);
  documented.set_i(1);
  documented.set_doc_string("why");
  add_future(*node.mutable_attribute(0));
  EXPECT_EQ(difference(m), "");
}

TEST(OnnxPreserve, AttributesWithoutATypeGetOne) {
  onnx::ModelProto m = empty_model();
  onnx::NodeProto& node = add_node(*m.mutable_graph(), "Op", {"x"}, {"y"});
  auto& ints = *node.add_attribute();
  ints.set_name("pads");
  ints.add_ints(4);
  const graph::Model model = read(m);
  EXPECT_EQ(model.graph.nodes[0].ints("pads").size(), 1u);
  EXPECT_EQ(written(model).graph().node(0).attribute(0).type(), onnx::AttributeProto::INTS);
}

TEST(OnnxPreserve, AttributeTypesOfTheFuture) {
  onnx::ModelProto m = empty_model();
  onnx::NodeProto& node = add_node(*m.mutable_graph(), "Op", {"x"}, {"y"});
  auto& attribute = *node.add_attribute();
  attribute.set_name("a");
  attribute.set_s("payload");
  std::string all = attribute.SerializeAsString();
  onnx_detail::append_varint(all, 20 << 3);  // the field "type", as a number that no version knows
  onnx_detail::append_varint(all, 99);
  ASSERT_TRUE(attribute.ParseFromString(all));
  ASSERT_FALSE(attribute.has_type());
  EXPECT_EQ(difference(m), "");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read(m).graph.nodes[0].attributes[0].value));
}

TEST(OnnxPreserve, Types) {
  onnx::ModelProto m = add_model(float_tensor("w", 2));
  onnx::GraphProto& g = *m.mutable_graph();
  auto& shape = *g.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(0)->set_dim_param("batch");
  shape.mutable_dim(0)->set_denotation("DATA_BATCH");
  shape.mutable_dim(1)->clear_dim_value();
  g.mutable_input(0)->mutable_type()->set_denotation("TENSOR");
  g.add_input()->set_name("bare");
  auto& sequence = *g.add_input();
  sequence.set_name("sequence");
  sequence.mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
  auto& map = *g.add_input();
  map.set_name("map");
  map.mutable_type()->mutable_map_type()->set_key_type(7);
  set_tensor_type(*g.add_input(), "scalar", 1, {});
  auto& unranked = *g.add_input();
  unranked.set_name("unranked");
  unranked.mutable_type()->mutable_tensor_type()->set_elem_type(10);
  auto& nothing = *g.add_input();
  nothing.set_name("nothing");
  nothing.mutable_type()->mutable_tensor_type();
  auto& sparse = *g.add_input();
  sparse.set_name("sparse");
  sparse.mutable_type()->mutable_sparse_tensor_type()->set_elem_type(1);
  EXPECT_EQ(difference(m), "");
  const graph::Model model = read(m);
  const graph::Value& x = model.graph.values[static_cast<std::size_t>(model.graph.inputs[0])];
  EXPECT_EQ(x.shape, (std::vector<graph::Dim>{{-1, "batch"}, {-1, {}}}));
}

TEST(OnnxPreserve, ANewShapeReplacesTheOldOne) {
  onnx::ModelProto m = add_model(float_tensor("w", 2));
  auto& shape = *m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(0)->set_denotation("DATA_BATCH");
  graph::Model model = read(m);
  auto& x = model.graph.values[static_cast<std::size_t>(model.graph.inputs[0])];
  x.shape = std::vector<graph::Dim>{{7, {}}, {-1, "n"}};
  shape.mutable_dim(0)->set_dim_value(7);
  shape.mutable_dim(1)->set_dim_param("n");
  EXPECT_TRUE(MessageDifferencer::Equals(written(model), m));
  x.shape = std::vector<graph::Dim>{{7, {}}};
  EXPECT_EQ(written(model).graph().input(0).type().tensor_type().shape().dim_size(), 1);
}

TEST(OnnxPreserve, DeclaredValues) {
  onnx::ModelProto m = empty_model();
  onnx::GraphProto& g = *m.mutable_graph();
  add_node(g, "Neg", {"x"}, {"b"});
  add_node(g, "Neg", {"b"}, {"a"});
  add_node(g, "Neg", {"a"}, {"y"});
  set_tensor_type(*g.add_value_info(), "a", 1, {2, 2});
  set_tensor_type(*g.add_value_info(), "b", 1, {2, 2});
  EXPECT_EQ(difference(m), "");
  graph::Model model = read(m);
  EXPECT_TRUE(model.graph.values[static_cast<std::size_t>(model.graph.find("a"))].declared);
  EXPECT_FALSE(model.graph.values[static_cast<std::size_t>(model.graph.find("x"))].declared);
  // A value that is gone is no longer declared.
  model.graph.nodes.erase(model.graph.nodes.begin() + 1);
  model.graph.nodes[1].inputs = {model.graph.find("b")};
  const onnx::ModelProto after = written(model);
  ASSERT_EQ(after.graph().value_info_size(), 1);
  EXPECT_EQ(after.graph().value_info(0).name(), "b");
}

TEST(OnnxPreserve, InitializersThatAreInputsToo) {
  onnx::ModelProto m = add_model(float_tensor("w", 2));
  set_tensor_type(*m.mutable_graph()->add_input(), "w", 1, {2});
  EXPECT_EQ(difference(m), "");
  EXPECT_EQ(read(m).graph.inputs.size(), 2u);
}

TEST(OnnxPreserve, AbsentOperands) {
  onnx::ModelProto m = empty_model();
  add_node(*m.mutable_graph(), "Clip", {"x", "", "x"}, {"y"});
  add_node(*m.mutable_graph(), "Dropout", {"x", ""}, {"", "mask"});
  EXPECT_EQ(difference(m), "");
  const graph::Model model = read(m);
  EXPECT_EQ(model.graph.nodes[0].inputs[1], graph::no_value);
  EXPECT_EQ(model.graph.nodes[1].outputs[0], graph::no_value);
}

TEST(OnnxPreserve, TheDefaultDomainHasOneName) {
  onnx::ModelProto m = add_model(float_tensor("w", 2));
  m.mutable_opset_import(0)->set_domain("ai.onnx");
  m.mutable_graph()->mutable_node(0)->set_domain("ai.onnx");
  const graph::Model model = read(m);
  EXPECT_TRUE(model.graph.nodes[0].is("Add"));
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(written(model).opset_import(0).domain(), "");
  EXPECT_FALSE(written(model).graph().node(0).has_domain());
}

TEST(OnnxPreserve, NodesOutOfOrderAreSorted) {
  onnx::ModelProto m = empty_model();
  add_node(*m.mutable_graph(), "Neg", {"a"}, {"y"});
  add_node(*m.mutable_graph(), "Exp", {"x"}, {"a"});
  const graph::Model model = read(m);
  EXPECT_EQ(model.graph.nodes[0].op, "Exp");
}

onnx::ModelProto with_branch(onnx::GraphProto& (*fill)(onnx::GraphProto&)) {
  onnx::ModelProto m = empty_model();
  onnx::NodeProto& node = add_node(*m.mutable_graph(), "If", {"x"}, {"y"});
  onnx::GraphProto& branch = *add_attribute(node, "then_branch", onnx::AttributeProto::GRAPH).mutable_g();
  branch.set_name("branch");
  branch.add_output()->set_name("z");
  fill(branch);
  add_node(*m.mutable_graph(), "Exp", {"x"}, {"outer"});
  return m;
}

TEST(OnnxPreserve, SubgraphsCaptureByName) {
  const onnx::ModelProto m = with_branch(+[](onnx::GraphProto& branch) -> onnx::GraphProto& {
    add_node(branch, "Add", {"t", "own"}, {"z"});
    add_node(branch, "Add", {"outer", "x"}, {"t"});
    *branch.add_initializer() = float_tensor("own", 1);
    return branch;
  });
  const graph::Model model = read(m);
  // The If waits for what its branch captures; the branch is sorted too.
  EXPECT_EQ(model.graph.nodes[0].op, "Exp");
  const auto& branch = *std::get<graph::GraphPtr>(model.graph.nodes[1].find("then_branch")->value);
  EXPECT_EQ(graph::captured_names(model.graph.nodes[1]), (std::vector<std::string>{"outer", "x"}));
  ASSERT_EQ(branch.nodes.size(), 2u);
  EXPECT_EQ(branch.name_of(branch.nodes[0].outputs[0]), "t");
  EXPECT_FALSE(branch.values[static_cast<std::size_t>(branch.find("own"))].captured);
  const onnx::GraphProto after = written(model).graph().node(1).attribute(0).g();
  EXPECT_EQ(after.initializer(0).raw_data(), "ffff");
  EXPECT_EQ(after.input_size(), 0);
}

TEST(OnnxPreserve, CapturedNamesMustExist) {
  const onnx::ModelProto m = with_branch(+[](onnx::GraphProto& branch) -> onnx::GraphProto& {
    add_node(branch, "Neg", {"ghost"}, {"z"});
    return branch;
  });
  EXPECT_EQ(read_error(m), "m.onnx: graph \"branch\": Neg \"z\": operand \"ghost\" is not defined before it");
}

onnx::ModelProto with_function() {
  onnx::ModelProto m = empty_model();
  onnx::NodeProto& call = add_node(*m.mutable_graph(), "Scale", {"x"}, {"y"});
  call.set_domain("local");
  auto& opset = *m.add_opset_import();
  opset.set_domain("local");
  opset.set_version(1);
  onnx::FunctionProto& f = *m.add_functions();
  f.set_name("Scale");
  f.set_domain("local");
  f.add_input("a");
  f.add_output("b");
  f.add_attribute("k");
  f.set_doc_string("about the function");
  *f.add_opset_import() = m.opset_import(0);
  onnx::NodeProto& constant = *f.add_node();
  constant.set_op_type("Constant");
  constant.add_output("c");
  auto& reference = add_attribute(constant, "value_float", onnx::AttributeProto::FLOAT);
  reference.set_ref_attr_name("k");
  onnx::NodeProto& product = *f.add_node();
  product.set_op_type("Mul");
  product.add_input("a");
  product.add_input("c");
  product.add_output("b");
  return m;
}

TEST(OnnxPreserve, Functions) {
  const onnx::ModelProto m = with_function();
  EXPECT_EQ(difference(m), "");
  const graph::Model model = read(m);
  ASSERT_EQ(model.functions.size(), 1u);
  EXPECT_EQ(model.functions[0].name, "Scale");
  EXPECT_EQ(model.functions[0].attributes, std::vector<std::string>{"k"});
  EXPECT_EQ(model.functions[0].body.nodes[0].attributes[0].ref, "k");
}

/// Moves a message through its wire format, where fields can be added that the installed definitions may not know.
template <class Proto>
void append(Proto& proto, std::uint32_t number, const std::string& contents) {
  std::string all = proto.SerializeAsString();
  onnx_detail::append_field(all, number, contents);
  ASSERT_TRUE(proto.ParseFromString(all));
}

TEST(OnnxPreserve, YoungerFieldsOfFunctionsAndNodes) {
  onnx::ModelProto m = with_function();
  onnx::AttributeProto fallback;
  fallback.set_name("table");
  fallback.set_type(onnx::AttributeProto::TENSOR);
  *fallback.mutable_t() = float_tensor("", 5);
  fallback.mutable_t()->clear_name();
  append(*m.mutable_functions(0), 11, fallback.SerializeAsString());  // attribute_proto
  append(*m.mutable_functions(0), 13, "special");                     // overload
  append(*m.mutable_graph()->mutable_node(0), 8, "special");          // overload
  onnx::StringStringEntryProto entry;
  entry.set_key("k");
  append(*m.mutable_graph()->mutable_node(0), 9, entry.SerializeAsString());  // metadata_props
  append(*m.mutable_functions(0)->mutable_node(0), 9, entry.SerializeAsString());
  EXPECT_EQ(difference(m), "");
  const graph::Model model = read(m);
  EXPECT_EQ(model.graph.nodes[0].overload, "special");
  EXPECT_EQ(model.functions[0].overload, "special");
  ASSERT_EQ(model.functions[0].attribute_defaults.size(), 1u);
  EXPECT_EQ(std::get<graph::Tensor>(model.functions[0].attribute_defaults[0].value).shape, graph::Shape{5});
}

TEST(OnnxPreserve, ChangedAttributesLeaveNoTrace) {
  onnx::ModelProto m = empty_model();
  onnx::NodeProto& node = add_node(*m.mutable_graph(), "Constant", {}, {"y"});
  *add_attribute(node, "value", onnx::AttributeProto::TENSOR).mutable_t() = float_tensor("named", 1);
  graph::Model model = read(m);
  model.graph.nodes[0].set("value", std::int64_t{4});
  const onnx::AttributeProto after = written(model).graph().node(0).attribute(0);
  EXPECT_EQ(after.i(), 4);
  EXPECT_FALSE(after.has_t());
  EXPECT_EQ(after.type(), onnx::AttributeProto::INT);
}

}  // namespace
}  // namespace coppice::formats
