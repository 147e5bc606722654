#include "coppice/torch/random_inputs.hpp"

#include <string>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/input_ranges.hpp"

namespace coppice {
namespace {

at::Tensor patterned(const std::vector<std::int64_t>& pattern, const graph::Shape& shape) {
  at::Tensor out = at::empty(shape, at::kLong);
  auto* to = out.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) to[i] = pattern[static_cast<std::size_t>(i) % pattern.size()];
  return out;
}

}  // namespace

std::vector<at::Tensor> random_inputs(const graph::Model& model, const graph::World& world, std::uint64_t seed) {
  const graph::Facts facts = graph::infer_tolerant(model, model.graph, world, nullptr);
  const std::vector<InputRange> ranges = input_ranges(model, facts);
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::vector<at::Tensor> out;
  for (const graph::ValueId input : model.graph.inputs) {
    const graph::Value& value = model.graph.values[at(input)];
    if (value.initializer >= 0) continue;
    const InputRange& range = ranges[out.size()];
    const graph::Fact& fact = facts[at(input)];
    if (!fact.complete())
      throw Error("input \"" + value.name + "\": its extents are not known; give them with --shape " + value.name +
                  "=...");
    const at::ScalarType type = scalar_type(value.dtype);
    if (!range.pattern.empty()) {
      out.push_back(patterned(range.pattern, fact.shape).to(type));
    } else if (at::isFloatingType(type) || at::isComplexType(type)) {
      out.push_back(at::randn(fact.shape, generator, at::TensorOptions(at::kFloat)).to(type));
    } else {
      at::Tensor numbers = at::randint(range.low, range.high, fact.shape, generator, at::TensorOptions(at::kLong));
      if (!range.index && numbers.dim() > 0 && numbers.size(-1) > 0) numbers.select(-1, 0).fill_(1);
      out.push_back(numbers.to(type));
    }
  }
  return out;
}

}  // namespace coppice
