#include "formats/onnx/wire.hpp"
#include "formats/onnx/writer.hpp"

namespace coppice::formats::onnx_detail {
namespace {
using onnx::AttributeProto;

template <class... Kinds>
struct Overloaded : Kinds... {
  using Kinds::operator()...;
};
template <class... Kinds>
Overloaded(Kinds...) -> Overloaded<Kinds...>;

void write_attribute_tensor(const tensor::Tensor& tensor, onnx::TensorProto& proto, WriteContext& context) {
  const bool was_external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  write_tensor(tensor, context.side && context.side->takes(tensor, was_external, false), proto, context);
}

/// Value fields that `extra` may have left, which no longer belong to the attribute.
void clear_values(AttributeProto& proto, const graph::AttributeValue& value) {
  if (!std::holds_alternative<tensor::Tensor>(value)) proto.clear_t();
  if (!std::holds_alternative<std::vector<tensor::Tensor>>(value)) proto.clear_tensors();
  proto.clear_tp();
  proto.clear_type_protos();
  proto.clear_sparse_tensor();
  proto.clear_sparse_tensors();
}

void write_value(const graph::AttributeValue& value, AttributeProto& proto, WriteContext& context) {
  std::visit(Overloaded{
                 [](std::monostate) {},
                 [&](std::int64_t number) {
                   proto.set_type(AttributeProto::INT);
                   proto.set_i(number);
                 },
                 [&](float number) {
                   proto.set_type(AttributeProto::FLOAT);
                   proto.set_f(number);
                 },
                 [&](const std::string& text) {
                   proto.set_type(AttributeProto::STRING);
                   proto.set_s(text);
                 },
                 [&](const tensor::Tensor& one) {
                   proto.set_type(AttributeProto::TENSOR);
                   write_attribute_tensor(one, *proto.mutable_t(), context);
                 },
                 [&](const graph::GraphPtr& one) {
                   proto.set_type(AttributeProto::GRAPH);
                   write_graph(*one, *proto.mutable_g(), context);
                 },
                 [&](const std::vector<std::int64_t>& numbers) {
                   proto.set_type(AttributeProto::INTS);
                   proto.mutable_ints()->Add(numbers.begin(), numbers.end());
                 },
                 [&](const std::vector<float>& numbers) {
                   proto.set_type(AttributeProto::FLOATS);
                   proto.mutable_floats()->Add(numbers.begin(), numbers.end());
                 },
                 [&](const std::vector<std::string>& texts) {
                   proto.set_type(AttributeProto::STRINGS);
                   for (const std::string& text : texts) proto.add_strings(text);
                 },
                 [&](const std::vector<tensor::Tensor>& many) {
                   proto.set_type(AttributeProto::TENSORS);
                   if (static_cast<std::size_t>(proto.tensors_size()) != many.size()) proto.clear_tensors();
                   for (std::size_t i = 0; i < many.size(); ++i) {
                     const int at = static_cast<int>(i);
                     auto& one = at < proto.tensors_size() ? *proto.mutable_tensors(at) : *proto.add_tensors();
                     write_attribute_tensor(many[i], one, context);
                   }
                 },
                 [&](const std::vector<graph::GraphPtr>& many) {
                   proto.set_type(AttributeProto::GRAPHS);
                   for (const graph::GraphPtr& one : many) write_graph(*one, *proto.add_graphs(), context);
                 },
             },
             value);
}

}  // namespace

void write_attribute(const graph::Attribute& attribute, AttributeProto& proto, WriteContext& context) {
  merge_extra(proto, attribute.extra, Kind::attribute, context);
  proto.set_name(attribute.name);
  if (!attribute.ref.empty()) {
    proto.set_ref_attr_name(attribute.ref);
    return;
  }
  if (std::holds_alternative<std::monostate>(attribute.value)) return;
  clear_values(proto, attribute.value);
  write_value(attribute.value, proto, context);
}

void write_node(const graph::Graph& graph, const graph::Node& node, onnx::NodeProto& proto, WriteContext& context) {
  std::string younger;
  if (!node.overload.empty()) append_field(younger, node_overload_field, node.overload);
  merge_extra(proto, node.extra, Kind::node, context, younger);
  proto.set_op_type(node.op);
  if (!node.name.empty()) proto.set_name(node.name);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  for (graph::ValueId id : node.inputs) proto.add_input(std::string(graph.name_of(id)));
  for (graph::ValueId id : node.outputs) proto.add_output(std::string(graph.name_of(id)));
  for (const graph::Attribute& attribute : node.attributes) write_attribute(attribute, *proto.add_attribute(), context);
}

}  // namespace coppice::formats::onnx_detail
