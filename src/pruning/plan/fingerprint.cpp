#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <string_view>

#include "coppice/pruning/plan.hpp"

namespace coppice::pruning {
namespace {

// Two multiplicative hashes over the same bytes (the first is FNV-1a): no defence against somebody who wants equal
// fingerprints, but chance will not make any.
class Hash {
 public:
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void number(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void text(std::string_view value) {
    number(static_cast<std::uint64_t>(value.size()));
    for (char c : value) byte(static_cast<std::uint8_t>(c));
  }

  std::string hex() const {
    std::array<char, 33> out{};
    std::snprintf(out.data(), out.size(), "%016llx%016llx", static_cast<unsigned long long>(a_),
                  static_cast<unsigned long long>(b_));
    return out.data();
  }

 private:
  void byte(std::uint8_t value) {
    a_ = (a_ ^ value) * 0x100000001b3u;
    b_ = (std::rotl(b_, 5) ^ value) * 0x9e3779b97f4a7c15u;
  }
  std::uint64_t a_ = 0xcbf29ce484222325u, b_ = 0x84222325cbf29ce4u;
};

// Deeper nesting than this does not come from an exporter.
constexpr int nesting_limit = 32;

class Fingerprint {
 public:
  void model(const graph::Model& model) {
    auto opsets = model.opsets;
    std::sort(opsets.begin(), opsets.end(), [](const auto& a, const auto& b) { return a.domain < b.domain; });
    for (const auto& opset : opsets) {
      hash_.text(opset.domain);
      hash_.number(opset.version);
    }
    graph(model.graph, 0);
  }
  std::string hex() const { return hash_.hex(); }

 private:
  void tensor(const graph::Tensor& tensor) {
    hash_.number(static_cast<std::int64_t>(tensor.dtype));
    hash_.number(static_cast<std::uint64_t>(tensor.shape.size()));
    for (std::int64_t extent : tensor.shape) hash_.number(extent);
  }

  void value(const graph::AttributeValue& value, int depth) {
    hash_.number(static_cast<std::uint64_t>(value.index()));
    const auto list = [&](const auto& items, auto each) {
      hash_.number(static_cast<std::uint64_t>(items.size()));
      for (const auto& item : items) each(item);
    };
    const auto whole = [&](std::int64_t i) { hash_.number(i); };
    const auto real = [&](float f) { hash_.number(static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(f))); };
    const auto text = [&](const std::string& s) { hash_.text(s); };
    const auto array = [&](const graph::Tensor& t) { tensor(t); };
    const auto inner = [&](const graph::GraphPtr& g) {
      if (g && depth < nesting_limit) graph(*g, depth + 1);
    };
    if (const auto* i = std::get_if<std::int64_t>(&value)) whole(*i);
    if (const auto* f = std::get_if<float>(&value)) real(*f);
    if (const auto* s = std::get_if<std::string>(&value)) text(*s);
    if (const auto* t = std::get_if<graph::Tensor>(&value)) array(*t);
    if (const auto* g = std::get_if<graph::GraphPtr>(&value)) inner(*g);
    if (const auto* is = std::get_if<std::vector<std::int64_t>>(&value)) list(*is, whole);
    if (const auto* fs = std::get_if<std::vector<float>>(&value)) list(*fs, real);
    if (const auto* ss = std::get_if<std::vector<std::string>>(&value)) list(*ss, text);
    if (const auto* ts = std::get_if<std::vector<graph::Tensor>>(&value)) list(*ts, array);
    if (const auto* gs = std::get_if<std::vector<graph::GraphPtr>>(&value)) list(*gs, inner);
  }

  void names(const graph::Graph& graph, const std::vector<graph::ValueId>& ids) {
    hash_.number(static_cast<std::uint64_t>(ids.size()));
    for (graph::ValueId id : ids) hash_.text(graph.name_of(id));
  }

  void graph(const graph::Graph& graph, int depth) {
    names(graph, graph.inputs);
    names(graph, graph.outputs);
    // Files of one model may list their initializers in different orders.
    std::vector<const graph::Initializer*> initializers;
    for (const graph::Initializer& i : graph.initializers) initializers.push_back(&i);
    std::sort(initializers.begin(), initializers.end(),
              [&](const auto* a, const auto* b) { return graph.name_of(a->value) < graph.name_of(b->value); });
    for (const graph::Initializer* i : initializers) {
      hash_.text(graph.name_of(i->value));
      tensor(i->tensor);
    }
    hash_.number(static_cast<std::uint64_t>(graph.nodes.size()));
    for (const graph::Node& node : graph.nodes) {
      hash_.text(node.domain);
      hash_.text(node.op);
      names(graph, node.inputs);
      names(graph, node.outputs);
      for (const graph::Attribute& attribute : node.attributes) {
        hash_.text(attribute.name);
        value(attribute.value, depth);
      }
    }
  }

  Hash hash_;
};

}  // namespace

std::string fingerprint(const graph::Model& model) {
  Fingerprint out;
  out.model(model);
  return out.hex();
}

}  // namespace coppice::pruning
