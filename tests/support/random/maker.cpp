#include "support/random/maker.hpp"

#include <cmath>
#include <numbers>

namespace coppice::test {

Attribute ints(std::string_view name, std::vector<std::int64_t> values) {
  return graph::attr(name, graph::AttributeValue(std::move(values)));
}
Attribute real(std::string_view name, float value) {
  return graph::attr(name, graph::AttributeValue(value));
}
Attribute text(std::string_view name, std::string_view value) {
  return graph::attr(name, graph::AttributeValue(std::string(value)));
}

Maker::Maker(std::uint64_t seed, std::int64_t version) : builder("random", version), opset(version), engine_(seed) {}

std::vector<graph::Dim> Maker::dims(const Shape& shape) const {
  std::vector<graph::Dim> result;
  for (std::int64_t extent : shape) result.push_back({extent, {}});
  if (dynamic_batch) result[0] = {-1, "batch"};
  return result;
}

Feature Maker::input(std::string_view name, Shape shape) {
  feeding.shapes[std::string(name)] = shape;
  return {builder.input(name, DType::float32, dims(shape)), shape};
}

ValueId Maker::token_input(std::string_view name, Shape shape, std::int64_t below) {
  feeding.shapes[std::string(name)] = shape;
  feeding.ranges[std::string(name)] = {0, below};
  return builder.input(name, DType::int64, dims(shape));
}

void Maker::output(const Feature& x, std::string_view name) {
  builder.output(builder.op("Identity", {x}, {}, name), DType::float32, dims(x.shape));
}

std::int64_t Maker::pick(std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
}

bool Maker::chance(double probability) {
  return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability;
}

std::int64_t Maker::one_of(std::initializer_list<std::int64_t> choices) {
  return choices.begin()[pick(0, static_cast<std::int64_t>(choices.size()) - 1)];
}

double Maker::normal() {
  // Box-Muller; the standard library's distributions differ between libraries.
  const double u = (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53;
  const double v = static_cast<double>(engine_() >> 11) * 0x1p-53;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

double Maker::gain(std::int64_t fan_in) {
  return std::sqrt(1.5 / static_cast<double>(fan_in));  // above 1: activations lose some of the variance
}

ValueId Maker::add(std::string_view stem, Tensor tensor) {
  graph::Graph& graph = builder.graph();
  const std::string name = graph.values[static_cast<std::size_t>(graph.fresh(stem))].name;
  return graph.add_initializer(name, std::move(tensor));
}

ValueId Maker::constant(std::string_view stem, const std::vector<float>& numbers) {
  const Shape shape{static_cast<std::int64_t>(numbers.size())};
  return add(stem, Tensor::of<float>(DType::float32, shape, numbers));
}

ValueId Maker::values(std::string_view stem, Shape shape, double scale, double mean) {
  std::vector<float> numbers(static_cast<std::size_t>(tensor::element_count(shape)));
  for (float& number : numbers) number = static_cast<float>(mean + scale * normal());
  return add(stem, Tensor::of<float>(DType::float32, std::move(shape), numbers));
}

ValueId Maker::positive(std::string_view stem, Shape shape) {
  std::vector<float> numbers(static_cast<std::size_t>(tensor::element_count(shape)));
  for (float& number : numbers) number = 0.5f + static_cast<float>(pick(0, 1000)) / 1000.0f;
  return add(stem, Tensor::of<float>(DType::float32, std::move(shape), numbers));
}

ValueId Maker::whole(std::string_view stem, DType dtype, Shape shape, std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(tensor::element_count(shape)));
  for (std::int64_t& number : numbers) number = pick(low, high);
  return add(stem, tensor::from_ints(dtype, std::move(shape), numbers));
}

Feature Maker::op(std::string_view type, std::vector<ValueId> inputs, Shape shape, std::vector<Attribute> attributes) {
  return {builder.op(type, std::move(inputs), std::move(attributes)), std::move(shape)};
}

Feature Maker::map(std::string_view type, const Feature& x, std::vector<ValueId> more,
                   std::vector<Attribute> attributes) {
  more.insert(more.begin(), x.id);
  return op(type, std::move(more), x.shape, std::move(attributes));
}

}  // namespace coppice::test
