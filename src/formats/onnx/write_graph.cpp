#include <utility>

#include "formats/onnx/wire.hpp"
#include "formats/onnx/writer.hpp"

namespace coppice::formats::onnx_detail {
namespace {

const graph::Value& value_of(const graph::Graph& graph, graph::ValueId id) {
  return graph.values[static_cast<std::size_t>(id)];
}

void write_shape(const std::vector<graph::Dim>& shape, onnx::TensorShapeProto& proto) {
  // The dimensions in `extra` carry denotations; they are only right for the rank they were read with.
  if (static_cast<std::size_t>(proto.dim_size()) != shape.size()) proto.clear_dim();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const int at = static_cast<int>(i);
    auto& dim = at < proto.dim_size() ? *proto.mutable_dim(at) : *proto.add_dim();
    if (shape[i].size >= 0) {
      dim.set_dim_value(shape[i].size);
    } else if (!shape[i].param.empty()) {
      dim.set_dim_param(shape[i].param);
    }
  }
}

void write_value_info(const graph::Value& value, onnx::ValueInfoProto& proto, WriteContext& context) {
  merge_extra(proto, value.extra, Kind::opaque, context);
  proto.set_name(value.name);
  const auto kind = proto.type().value_case();
  const bool is_tensor = kind == onnx::TypeProto::VALUE_NOT_SET || kind == onnx::TypeProto::kTensorType;
  if (!is_tensor || (value.dtype == graph::DType::undefined && !value.shape)) return;
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  if (value.dtype != graph::DType::undefined) type.set_elem_type(static_cast<std::int32_t>(value.dtype));
  if (value.shape) write_shape(*value.shape, *type.mutable_shape());
}

/// Values that something in the graph defines; the rest are left-overs without a place in value_info.
std::vector<bool> defined_values(const graph::Graph& graph) {
  std::vector<bool> out(graph.values.size());
  const auto mark = [&](graph::ValueId id) {
    if (id != graph::no_value) out[static_cast<std::size_t>(id)] = true;
  };
  for (const graph::Initializer& initializer : graph.initializers) mark(initializer.value);
  for (graph::ValueId id : graph.inputs) mark(id);
  for (const graph::Node& node : graph.nodes)
    for (graph::ValueId id : node.outputs) mark(id);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (graph.values[i].captured) out[i] = true;
  return out;
}

void write_initializer(const graph::Graph& graph, const graph::Initializer& initializer, onnx::TensorProto& proto,
                       WriteContext& context) {
  merge_extra(proto, initializer.extra, Kind::tensor, context);
  proto.set_name(value_of(graph, initializer.value).name);
  const bool to_side = context.side && context.side->takes(initializer.tensor, initializer.external, true);
  write_tensor(initializer.tensor, to_side, proto, context);
}

void write_initializers(const graph::Graph& graph, Encoding encoding, onnx::GraphProto& proto, WriteContext& context) {
  for (const graph::Initializer& initializer : graph.initializers) {
    const auto filled = encoding == Encoding::dense ? std::nullopt : filled_when_smaller(initializer.tensor);
    if (!filled) {
      write_initializer(graph, initializer, *proto.add_initializer(), context);
      continue;
    }
    onnx::SparseTensorProto& sparse = *proto.add_sparse_initializer();
    merge_extra(*sparse.mutable_values(), initializer.extra, Kind::tensor, context);
    sparse.mutable_values()->set_name(value_of(graph, initializer.value).name);
    write_sparse_tensor(initializer.tensor, *filled, sparse, context);
  }
}

}  // namespace

void write_graph(const graph::Graph& graph, onnx::GraphProto& proto, WriteContext& context) {
  const Encoding encoding = std::exchange(context.encoding, Encoding::dense);
  merge_extra(proto, graph.extra, Kind::graph, context);
  if (!graph.name.empty()) proto.set_name(graph.name);
  for (const graph::Node& node : graph.nodes) write_node(graph, node, *proto.add_node(), context);
  write_initializers(graph, encoding, proto, context);
  for (graph::ValueId id : graph.inputs) write_value_info(value_of(graph, id), *proto.add_input(), context);
  for (graph::ValueId id : graph.outputs) write_value_info(value_of(graph, id), *proto.add_output(), context);
  const std::vector<bool> defined = defined_values(graph);
  for (std::size_t i = 0; i < defined.size(); ++i)
    if (defined[i] && graph.values[i].declared) write_value_info(graph.values[i], *proto.add_value_info(), context);
}

void write_function(const graph::Function& function, onnx::FunctionProto& proto, WriteContext& context) {
  std::string younger;
  for (const graph::Attribute& attribute : function.attribute_defaults) {
    onnx::AttributeProto one;
    write_attribute(attribute, one, context);
    append_field(younger, function_attribute_field, one.SerializePartialAsString());
  }
  if (!function.overload.empty()) append_field(younger, function_overload_field, function.overload);
  merge_extra(proto, function.extra, Kind::function, context, younger);
  proto.set_name(function.name);
  if (!function.domain.empty()) proto.set_domain(function.domain);
  for (const std::string& name : function.inputs) proto.add_input(name);
  for (const std::string& name : function.outputs) proto.add_output(name);
  for (const std::string& name : function.attributes) proto.add_attribute(name);
  for (const graph::OpsetImport& import : function.opsets) {
    auto& opset = *proto.add_opset_import();
    if (!import.domain.empty()) opset.set_domain(import.domain);
    opset.set_version(import.version);
  }
  for (const graph::Node& node : function.body.nodes) write_node(function.body, node, *proto.add_node(), context);
}

}  // namespace coppice::formats::onnx_detail
