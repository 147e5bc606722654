#include "graph/same.hpp"

#include <algorithm>
#include <cstring>

namespace coppice::graph {
namespace {

bool same_value(const AttributeValue& a, const AttributeValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* tensor = std::get_if<Tensor>(&a)) return same(*tensor, std::get<Tensor>(b));
  if (const auto* tensors = std::get_if<std::vector<Tensor>>(&a)) {
    const auto& others = std::get<std::vector<Tensor>>(b);
    return std::equal(tensors->begin(), tensors->end(), others.begin(), others.end(),
                      [](const Tensor& x, const Tensor& y) { return same(x, y); });
  }
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Tensor> || std::is_same_v<T, std::vector<Tensor>>)
          return true;
        else
          return value == std::get<T>(b);
      },
      a);
}

}  // namespace

bool same(const Tensor& a, const Tensor& b) {
  if (a.dtype != b.dtype || a.shape != b.shape || a.bytes.size() != b.bytes.size() || a.strings != b.strings)
    return false;
  return a.bytes.same_place(b.bytes) || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

bool same(const Node& a, const Node& b) {
  if (a.op != b.op || a.domain != b.domain || a.overload != b.overload) return false;
  if (a.inputs != b.inputs || a.outputs != b.outputs) return false;
  return std::equal(a.attributes.begin(), a.attributes.end(), b.attributes.begin(), b.attributes.end(),
                    [](const Attribute& x, const Attribute& y) {
                      return x.name == y.name && x.ref == y.ref && x.extra == y.extra && same_value(x.value, y.value);
                    });
}

}  // namespace coppice::graph
