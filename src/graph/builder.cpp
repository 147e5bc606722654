#include "coppice/graph/builder.hpp"

#include "coppice/base/error.hpp"

namespace coppice::graph {

Builder::Builder(std::string graph_name, std::int64_t opset) {
  model_.graph.name = std::move(graph_name);
  model_.ir_version = 8;
  model_.opsets.push_back({"", opset});
  model_.producer_name = "coppice";
}

ValueId Builder::input(std::string_view name, DType dtype, std::vector<Dim> shape) {
  const ValueId id = model_.graph.value(name);
  Value& value = model_.graph.values[static_cast<std::size_t>(id)];
  value.dtype = dtype;
  value.shape = std::move(shape);
  value.is_input = true;
  model_.graph.inputs.push_back(id);
  return id;
}

void Builder::output(ValueId id, DType dtype, std::vector<Dim> shape) {
  Value& value = model_.graph.values[static_cast<std::size_t>(id)];
  value.dtype = dtype;
  value.shape = std::move(shape);
  value.is_output = true;
  model_.graph.outputs.push_back(id);
}

std::string Builder::name_for(std::string_view op, std::string_view name) {
  return name.empty() ? std::string(op) + "_" + std::to_string(counter_++) : std::string(name);
}

ValueId Builder::op(std::string_view op, std::vector<ValueId> inputs, std::vector<Attribute> attributes,
                    std::string_view name) {
  const std::string full = name_for(op, name);
  const ValueId out = model_.graph.fresh(full);
  Node node{.op = std::string(op),
            .domain = {},
            .name = full,
            .inputs = std::move(inputs),
            .outputs = {out},
            .attributes = std::move(attributes)};
  model_.graph.values[static_cast<std::size_t>(out)].producer = static_cast<std::int32_t>(model_.graph.nodes.size());
  model_.graph.nodes.push_back(std::move(node));
  return out;
}

std::vector<ValueId> Builder::op_multi(std::string_view op, std::vector<ValueId> inputs, std::size_t outputs,
                                       std::vector<Attribute> attributes, std::string_view name) {
  const std::string full = name_for(op, name);
  std::vector<ValueId> out;
  for (std::size_t i = 0; i < outputs; ++i) {
    out.push_back(model_.graph.fresh(full + ":" + std::to_string(i)));
    model_.graph.values[static_cast<std::size_t>(out.back())].producer =
        static_cast<std::int32_t>(model_.graph.nodes.size());
  }
  model_.graph.nodes.push_back({.op = std::string(op),
                                .domain = {},
                                .name = full,
                                .inputs = std::move(inputs),
                                .outputs = out,
                                .attributes = std::move(attributes)});
  return out;
}

void Builder::rename(ValueId id, std::string_view name) {
  Graph& g = model_.graph;
  const ValueId holder = g.find(name);
  if (holder == id) return;
  if (holder != no_value) throw Error("value \"" + std::string(name) + "\" is defined twice");
  Value& value = g.values[static_cast<std::size_t>(id)];
  g.index.erase(value.name);
  value.name = name;
  g.index.emplace(value.name, id);
}

ValueId Builder::ints(std::vector<std::int64_t> values) {
  return model_.graph.add_initializer(model_.graph.values[static_cast<std::size_t>(model_.graph.fresh("shape"))].name,
                                      Tensor::ints(values));
}

ValueId Builder::int_scalar(std::int64_t value) {
  return model_.graph.add_initializer(model_.graph.values[static_cast<std::size_t>(model_.graph.fresh("index"))].name,
                                      Tensor::scalar(value));
}

ValueId Builder::real_scalar(float value) {
  return model_.graph.add_initializer(model_.graph.values[static_cast<std::size_t>(model_.graph.fresh("scalar"))].name,
                                      Tensor::scalar(value));
}

Model Builder::finish() && {
  model_.graph.sort();
  model_.graph.check();
  return std::move(model_);
}

}  // namespace coppice::graph
