#include "torch/verify/widen.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace coppice::verifying {
namespace {

using tensor::DType;

bool is_half(DType dtype) {
  return dtype == DType::float16 || dtype == DType::bfloat16;
}

void widen(DType& dtype) {
  if (is_half(dtype)) dtype = DType::float32;
}

void widen(tensor::Tensor& tensor) {
  if (!is_half(tensor.dtype)) return;
  tensor::Buffer buffer(static_cast<std::size_t>(tensor.elements()) * 4);
  const auto to = buffer.as<float>();
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(element_as_double(tensor, static_cast<std::int64_t>(i)));
  tensor = {DType::float32, std::move(tensor.shape), std::move(buffer).freeze(), nullptr};
}

// Attributes that name an element type by its ONNX number.
constexpr std::array<std::string_view, 4> type_names{"to", "dtype", "stash_type", "output_dtype"};

bool names_half(const graph::Attribute& attribute) {
  const auto* number = std::get_if<std::int64_t>(&attribute.value);
  return number && is_half(static_cast<DType>(*number)) &&
         std::find(type_names.begin(), type_names.end(), attribute.name) != type_names.end();
}

void widen(graph::Graph& graph) {
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const auto id = static_cast<graph::ValueId>(v);
    widen(graph.values[v].dtype);
    const tensor::Tensor* constant = graph.constant(id);
    if (!constant || !is_half(constant->dtype)) continue;
    tensor::Tensor wide = *constant;
    widen(wide);
    graph.set_constant(id, std::move(wide));
  }
  for (graph::Node& node : graph.nodes) {
    for (graph::Attribute& attribute : node.attributes) {
      if (names_half(attribute)) attribute.value = static_cast<std::int64_t>(DType::float32);
      if (auto* tensor = std::get_if<tensor::Tensor>(&attribute.value)) widen(*tensor);
      auto* body = std::get_if<graph::GraphPtr>(&attribute.value);
      if (!body || !*body) continue;
      *body = std::make_shared<graph::Graph>(**body);  // others may hold it
      widen(**body);
    }
  }
}

bool has_half(const graph::Graph& graph) {
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const tensor::Tensor* constant = graph.constant(static_cast<graph::ValueId>(v));
    if (is_half(graph.values[v].dtype) || (constant && is_half(constant->dtype))) return true;
  }
  for (const graph::Node& node : graph.nodes)
    for (const graph::Attribute& attribute : node.attributes) {
      const auto* tensor = std::get_if<tensor::Tensor>(&attribute.value);
      const auto* body = std::get_if<graph::GraphPtr>(&attribute.value);
      if (names_half(attribute) || (tensor && is_half(tensor->dtype)) || (body && *body && has_half(**body)))
        return true;
    }
  return false;
}

}  // namespace

bool has_half(const graph::Model& model) {
  return has_half(model.graph) || std::any_of(model.functions.begin(), model.functions.end(),
                                              [](const graph::Function& f) { return has_half(f.body); });
}

graph::Model widened(graph::Model model) {
  widen(model.graph);
  for (graph::Function& function : model.functions) widen(function.body);
  return model;
}

pruning::Prepared widened(pruning::Prepared prepared) {
  prepared.model = widened(std::move(prepared.model));
  prepared.regions.clear();  // as they were in the file, with 16 bits: what stands in their place stays
  for (graph::Facts* facts : {&prepared.first, &prepared.second, &prepared.counting})
    for (graph::Fact& fact : *facts) widen(fact.dtype);
  return prepared;
}

}  // namespace coppice::verifying
