#include "formats/onnx/reader.hpp"
#include "formats/onnx/wire.hpp"

namespace coppice::formats::onnx_detail {
namespace {
using graph::GraphPtr;
using onnx::AttributeProto;

/// A type that the installed definitions don't know is kept among the unknown fields.
bool has_unknown_type(const AttributeProto& proto) {
  const std::string all = proto.SerializePartialAsString();
  FieldCursor cursor(bytes_of(all), bytes_of(all).data());
  for (Field field; cursor.next(field);)
    if (field.number == AttributeProto::kTypeFieldNumber) return true;
  return false;
}

/// Models of the first format version give no type: the field that is set tells.
AttributeProto::AttributeType type_of(const AttributeProto& proto) {
  if (proto.has_type()) return proto.type();
  if (has_unknown_type(proto)) return AttributeProto::UNDEFINED;
  if (proto.has_f()) return AttributeProto::FLOAT;
  if (proto.has_i()) return AttributeProto::INT;
  if (proto.has_s()) return AttributeProto::STRING;
  if (proto.has_t()) return AttributeProto::TENSOR;
  if (proto.has_g()) return AttributeProto::GRAPH;
  if (proto.floats_size() > 0) return AttributeProto::FLOATS;
  if (proto.ints_size() > 0) return AttributeProto::INTS;
  if (proto.strings_size() > 0) return AttributeProto::STRINGS;
  if (proto.tensors_size() > 0) return AttributeProto::TENSORS;
  if (proto.graphs_size() > 0) return AttributeProto::GRAPHS;
  return AttributeProto::UNDEFINED;
}

/// Reads a tensor and leaves in `proto` its name and documentation, and whether it was external.
tensor::Tensor read_attribute_tensor(onnx::TensorProto& proto, const Where& where, ReadContext& context) {
  ReadTensor read = read_tensor(proto, where, context);
  if (read.external) proto.set_data_location(onnx::TensorProto::EXTERNAL);
  return std::move(read.tensor);
}

std::vector<tensor::Tensor> read_tensors(AttributeProto& proto, const Where& where, ReadContext& context) {
  std::vector<tensor::Tensor> out;
  bool plain = true;
  for (onnx::TensorProto& tensor : *proto.mutable_tensors()) {
    out.push_back(read_attribute_tensor(tensor, where, context));
    plain = plain && tensor.ByteSizeLong() == 0;
  }
  if (plain) proto.clear_tensors();
  return out;
}

GraphPtr read_subgraph(onnx::GraphProto& proto, ReadContext& context) {
  return std::make_shared<graph::Graph>(read_graph(proto, context));
}

graph::AttributeValue read_value(AttributeProto& proto, AttributeProto::AttributeType type, const Where& where,
                                 ReadContext& context) {
  switch (type) {
    case AttributeProto::FLOAT:
      return proto.f();
    case AttributeProto::INT:
      return static_cast<std::int64_t>(proto.i());
    case AttributeProto::STRING:
      return proto.s();
    case AttributeProto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case AttributeProto::INTS:
      return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case AttributeProto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case AttributeProto::TENSOR: {
      if (!proto.has_t()) where.fail("expected a tensor, found none");
      graph::AttributeValue out = read_attribute_tensor(*proto.mutable_t(), where, context);
      if (proto.t().ByteSizeLong() == 0) proto.clear_t();
      return out;
    }
    case AttributeProto::TENSORS:
      return read_tensors(proto, where, context);
    case AttributeProto::GRAPH: {
      if (!proto.has_g()) where.fail("expected a graph, found none");
      graph::AttributeValue out = read_subgraph(*proto.mutable_g(), context);
      proto.clear_g();
      return out;
    }
    case AttributeProto::GRAPHS: {
      std::vector<GraphPtr> out;
      for (onnx::GraphProto& one : *proto.mutable_graphs()) out.push_back(read_subgraph(one, context));
      proto.clear_graphs();
      return out;
    }
    default:
      return std::monostate();
  }
}

void clear_value(AttributeProto& proto, AttributeProto::AttributeType type) {
  switch (type) {
    case AttributeProto::FLOAT:
      return proto.clear_f();
    case AttributeProto::INT:
      return proto.clear_i();
    case AttributeProto::STRING:
      return proto.clear_s();
    case AttributeProto::FLOATS:
      return proto.clear_floats();
    case AttributeProto::INTS:
      return proto.clear_ints();
    case AttributeProto::STRINGS:
      return proto.clear_strings();
    default:
      return;  // tensors and graphs are cleared as they are read
  }
}

}  // namespace

std::string normal_domain(std::string domain) {
  return domain == "ai.onnx" ? std::string() : std::move(domain);
}

graph::Attribute read_attribute(AttributeProto& proto, ReadContext& context) {
  graph::Attribute out;
  out.name = std::move(*proto.mutable_name());
  proto.clear_name();
  if (!proto.ref_attr_name().empty()) {
    // The type stays in `extra`: nothing else tells it.
    out.ref = std::move(*proto.mutable_ref_attr_name());
    proto.clear_ref_attr_name();
  } else {
    const auto type = type_of(proto);
    out.value = read_value(proto, type, {"attribute", out.name}, context);
    if (!std::holds_alternative<std::monostate>(out.value)) {
      clear_value(proto, type);
      proto.clear_type();
    }
  }
  out.extra = remains(proto, Kind::attribute, context);
  return out;
}

graph::Node read_node(graph::Graph& graph, onnx::NodeProto& proto, ReadContext& context) {
  graph::Node out;
  out.op = std::move(*proto.mutable_op_type());
  out.name = std::move(*proto.mutable_name());
  if (out.op.empty()) Where{"node", out.name}.fail("has no operator");
  out.domain = normal_domain(std::move(*proto.mutable_domain()));
  out.inputs.reserve(static_cast<std::size_t>(proto.input_size()));
  for (const std::string& name : proto.input())
    out.inputs.push_back(name.empty() ? graph::no_value : graph.value(name));
  for (const std::string& name : proto.output())
    out.outputs.push_back(name.empty() ? graph::no_value : graph.value(name));
  out.attributes.reserve(static_cast<std::size_t>(proto.attribute_size()));
  for (AttributeProto& attribute : *proto.mutable_attribute())
    out.attributes.push_back(read_attribute(attribute, context));
  proto.clear_op_type();
  proto.clear_name();
  proto.clear_domain();
  proto.clear_input();
  proto.clear_output();
  proto.clear_attribute();
  out.extra = remains(proto, Kind::node, context);
  if (!out.extra.empty())  // a field of newer versions of the format
    for (std::string& overload : take_fields(out.extra, node_overload_field)) out.overload = std::move(overload);
  return out;
}

}  // namespace coppice::formats::onnx_detail
