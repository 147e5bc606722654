#include "coppice/base/error.hpp"

#include "formats/onnx/reader.hpp"
#include "formats/onnx/wire.hpp"

namespace coppice::formats::onnx_detail {
namespace {

graph::Value& value_of(graph::Graph& graph, graph::ValueId id) {
  return graph.values[static_cast<std::size_t>(id)];
}

graph::Dim read_dim(const onnx::TensorShapeProto::Dimension& proto) {
  if (proto.has_dim_value()) return {proto.dim_value() < 0 ? -1 : proto.dim_value(), {}};
  return {-1, proto.dim_param()};
}

void read_tensor_type(graph::Value& value, onnx::TypeProto& type) {
  onnx::TypeProto::Tensor& tensor = *type.mutable_tensor_type();
  if (value.dtype == graph::DType::undefined || tensor.elem_type() != 0)
    value.dtype = static_cast<graph::DType>(tensor.elem_type());
  tensor.clear_elem_type();
  if (tensor.has_shape()) {
    value.shape.emplace();
    bool plain = true;
    for (auto& dim : *tensor.mutable_shape()->mutable_dim()) {
      value.shape->push_back(read_dim(dim));
      dim.clear_value();
      plain = plain && dim.ByteSizeLong() == 0;
    }
    if (plain) tensor.mutable_shape()->clear_dim();
    if (tensor.shape().ByteSizeLong() == 0) tensor.clear_shape();
  }
  const bool tells_something = value.dtype != graph::DType::undefined || value.shape;
  if (tells_something && tensor.ByteSizeLong() == 0) type.clear_tensor_type();
}

void read_list(graph::Graph& graph, google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& protos,
               std::vector<graph::ValueId>* list, std::string_view what, ReadContext& context) {
  for (onnx::ValueInfoProto& proto : protos) {
    if (proto.name().empty()) throw Error("graph \"" + graph.name + "\": " + std::string(what) + " without a name");
    const graph::ValueId id = graph.value(proto.name());
    if (list) {
      list->push_back(id);
    } else {
      value_of(graph, id).declared = true;
    }
    read_value_info(value_of(graph, id), proto, context);
  }
  protos.Clear();
}

void read_initializer(graph::Graph& graph, onnx::TensorProto& proto, ReadContext& context) {
  const std::string name = std::move(*proto.mutable_name());
  if (name.empty()) throw Error("graph \"" + graph.name + "\": an initializer without a name");
  ReadTensor read = read_tensor(proto, {"initializer", name}, context);
  graph.add_initializer(name, std::move(read.tensor));
  graph.initializers.back().external = read.external;
  proto.clear_name();
  graph.initializers.back().extra = remains(proto, Kind::tensor, context);
}

/// Those that can be made dense become ordinary initializers; values of the others are of unknown contents.
void read_sparse_initializers(graph::Graph& graph, onnx::GraphProto& proto, ReadContext& context) {
  google::protobuf::RepeatedPtrField<onnx::SparseTensorProto> others;
  for (onnx::SparseTensorProto& sparse : *proto.mutable_sparse_initializer()) {
    const std::string name = sparse.values().name();
    if (name.empty()) throw Error("graph \"" + graph.name + "\": a sparse initializer without a name");
    std::optional<ReadTensor> read = read_sparse_tensor(sparse, {"sparse initializer", name}, context);
    if (!read) {
      value_of(graph, graph.value(name)).captured = true;
      *others.Add() = std::move(sparse);
      continue;
    }
    graph.add_initializer(name, std::move(read->tensor));
    graph.initializers.back().external = read->external;
    sparse.mutable_values()->clear_name();
    graph.initializers.back().extra = remains(sparse.values(), Kind::tensor, context);
  }
  *proto.mutable_sparse_initializer() = std::move(others);
}

}  // namespace

void read_value_info(graph::Value& value, onnx::ValueInfoProto& proto, ReadContext& context) {
  proto.clear_name();
  if (proto.has_type() && proto.type().has_tensor_type()) {
    read_tensor_type(value, *proto.mutable_type());
    if (proto.type().ByteSizeLong() == 0) proto.clear_type();
  }
  if (value.extra.empty()) value.extra = remains(proto, Kind::opaque, context);
}

graph::Graph read_graph(onnx::GraphProto& proto, ReadContext& context) {
  graph::Graph out;
  out.name = std::move(*proto.mutable_name());
  proto.clear_name();
  read_list(out, *proto.mutable_input(), &out.inputs, "an input", context);
  read_list(out, *proto.mutable_output(), &out.outputs, "an output", context);
  read_list(out, *proto.mutable_value_info(), nullptr, "a value", context);
  out.initializers.reserve(static_cast<std::size_t>(proto.initializer_size()));
  for (onnx::TensorProto& tensor : *proto.mutable_initializer()) read_initializer(out, tensor, context);
  proto.clear_initializer();
  read_sparse_initializers(out, proto, context);
  out.nodes.reserve(static_cast<std::size_t>(proto.node_size()));
  for (onnx::NodeProto& node : *proto.mutable_node()) out.nodes.push_back(read_node(out, node, context));
  proto.clear_node();
  out.extra = remains(proto, Kind::graph, context);
  return out;
}

graph::Function read_function(onnx::FunctionProto& proto, ReadContext& context) {
  graph::Function out;
  out.name = std::move(*proto.mutable_name());
  if (out.name.empty()) throw Error("a function without a name");
  out.domain = normal_domain(std::move(*proto.mutable_domain()));
  out.inputs.assign(proto.input().begin(), proto.input().end());
  out.outputs.assign(proto.output().begin(), proto.output().end());
  out.attributes.assign(proto.attribute().begin(), proto.attribute().end());
  for (const onnx::OperatorSetIdProto& import : proto.opset_import())
    out.opsets.push_back({normal_domain(import.domain()), import.version()});
  out.body.name = out.name;
  for (const std::string& name : out.inputs) out.body.inputs.push_back(out.body.value(name));
  for (const std::string& name : out.outputs) out.body.outputs.push_back(out.body.value(name));
  for (onnx::NodeProto& node : *proto.mutable_node()) out.body.nodes.push_back(read_node(out.body, node, context));
  proto.clear_name();
  proto.clear_domain();
  proto.clear_input();
  proto.clear_output();
  proto.clear_attribute();
  proto.clear_opset_import();
  proto.clear_node();
  // Fields of newer versions of the format, which the installed definitions may not know.
  std::string rest = proto.SerializePartialAsString();
  for (const std::string& serialised : take_fields(rest, function_attribute_field)) {
    onnx::AttributeProto attribute;
    if (!parse_message(serialised, attribute)) throw Error("function \"" + out.name + "\": a damaged default");
    out.attribute_defaults.push_back(read_attribute(attribute, context));
  }
  for (std::string& overload : take_fields(rest, function_overload_field)) out.overload = std::move(overload);
  out.extra = full_message(rest, Kind::function, context.blobs);
  return out;
}

}  // namespace coppice::formats::onnx_detail
