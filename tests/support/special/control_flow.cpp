#include "support/special_graphs.hpp"

namespace coppice::test {
namespace {

// A subgraph under construction: names from outside are captured.
class Body {
 public:
  explicit Body(const Maker& outer, std::string_view name) : outer_(outer), graph_(std::make_shared<graph::Graph>()) {
    graph_->name = name;
  }

  ValueId captured(ValueId outside) {
    const graph::Value& source = const_cast<Maker&>(outer_).builder.graph().values[static_cast<std::size_t>(outside)];
    const ValueId id = graph_->value(source.name);
    graph_->values[static_cast<std::size_t>(id)].captured = true;
    return id;
  }
  ValueId input(std::string_view name, DType dtype, std::vector<graph::Dim> shape) {
    const ValueId id = declare(name, dtype, std::move(shape));
    graph_->inputs.push_back(id);
    return id;
  }
  void output(ValueId id, DType dtype, std::vector<graph::Dim> shape) {
    declare(graph_->values[static_cast<std::size_t>(id)].name, dtype, std::move(shape));
    graph_->outputs.push_back(id);
  }
  ValueId op(std::string_view type, std::vector<ValueId> inputs, std::string_view name,
             std::vector<Attribute> attributes = {}) {
    const ValueId out = graph_->value(name);
    graph_->nodes.push_back({.op = std::string(type),
                             .domain = {},
                             .name = std::string(name),
                             .inputs = std::move(inputs),
                             .outputs = {out},
                             .attributes = std::move(attributes)});
    return out;
  }
  graph::GraphPtr finish() {
    graph_->reindex();
    return graph_;
  }

 private:
  ValueId declare(std::string_view name, DType dtype, std::vector<graph::Dim> shape) {
    const ValueId id = graph_->value(name);
    graph_->values[static_cast<std::size_t>(id)].dtype = dtype;
    graph_->values[static_cast<std::size_t>(id)].shape = std::move(shape);
    return id;
  }
  const Maker& outer_;
  graph::GraphPtr graph_;
};

const std::vector<graph::Dim> any_image{{-1, {}}, {-1, {}}, {-1, {}}, {-1, {}}};

// "if the image is 8 high": known as soon as the shapes are.
void static_if(Maker& m) {
  const Feature x = m.map("Relu", m.conv(m.input("image", {1, 3, 8, 8}), 12));
  const ValueId w = m.weight({16, 12, 3, 3}, 9 * 12), other = m.weight({16, 12, 3, 3}, 9 * 12);
  const ValueId height = m.builder.op("Gather", {m.builder.op("Shape", {x}), m.builder.int_scalar(2)});
  const ValueId condition = m.builder.op("Equal", {height, m.builder.int_scalar(8)});
  const auto branch = [&](std::string_view name, ValueId weight, std::string_view activation) {
    Body body(m, name);
    const ValueId conv = body.op("Conv", {body.captured(x), body.captured(weight)}, std::string(name) + "_conv",
                                 {ints("pads", {1, 1, 1, 1})});
    body.output(body.op(activation, {conv}, std::string(name) + "_out"), DType::float32, any_image);
    return body.finish();
  };
  const graph::GraphPtr yes = branch("yes", w, "Relu"), no = branch("no", other, "Tanh");
  const Feature y = m.op(
      "If", {condition}, {1, 16, 8, 8},
      {graph::attr("then_branch", graph::AttributeValue(yes)), graph::attr("else_branch", graph::AttributeValue(no))});
  m.output(m.linear(m.reduce("ReduceMean", m.conv(y, 8), {2, 3}, false), 5), "logits");
}

// Three rounds of the same convolution over a carried state.
void static_loop(Maker& m) {
  const Feature x = m.map("Relu", m.conv(m.input("image", {1, 3, 8, 8}), 12));
  const ValueId w = m.weight({12, 12, 3, 3}, 9 * 12), b = m.bias({12});
  Body body(m, "round");
  body.input("round_number", DType::int64, {});
  const ValueId go_on = body.input("go_on", DType::boolean, {});
  const ValueId state = body.input("state", DType::float32, any_image);
  const ValueId still = body.op("Identity", {go_on}, "still");
  const ValueId conv =
      body.op("Conv", {state, body.captured(w), body.captured(b)}, "round_conv", {ints("pads", {1, 1, 1, 1})});
  const ValueId next = body.op("Tanh", {conv}, "next_state");
  body.output(still, DType::boolean, {});
  body.output(next, DType::float32, any_image);
  graph::Graph& graph = m.builder.graph();
  const std::int64_t yes = 1;
  const ValueId always = graph.add_initializer("always", tensor::from_ints(DType::boolean, {}, {&yes, 1}));
  const Feature y = m.op("Loop", {m.builder.int_scalar(3), always, x}, x.shape,
                         {graph::attr("body", graph::AttributeValue(body.finish()))});
  m.output(m.linear(m.reduce("ReduceMean", m.conv(y, 8), {2, 3}, false), 5), "logits");
}

constexpr SpecialGraph graphs[] = {
    {"static_if", static_if},
    {"static_loop", static_loop},
};

}  // namespace

std::span<const SpecialGraph> special_control_flow() {
  return graphs;
}

}  // namespace coppice::test
