#include "graph/ops/binary.hpp"

#include <cmath>

#include "coppice/base/checked.hpp"

namespace coppice::graph::ops {
namespace {

ContentPtr combine_content(const Content& a, const Content& b, DType dtype, BinaryFunction function) {
  const std::size_t count = size_of(a);
  const bool real = tensor::is_real(dtype);
  const auto& left = a;
  if (size_of(b) != count || (real ? !function.real : !function.whole)) return nullptr;
  if ((real ? a.reals.size() : a.ints.size()) != count || (real ? b.reals.size() : b.ints.size()) != count)
    return nullptr;
  auto out = std::make_shared<Content>();
  if (real)
    out->reals.resize(count);
  else
    out->ints.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!left.known(i) || !b.known(i)) {
      forget(*out, i, count);
    } else if (real) {
      out->reals[i] = round_to(dtype, function.real(left.reals[i], b.reals[i]));
    } else if (const auto value = function.whole(left.ints[i], b.ints[i])) {
      out->ints[i] = wrap_to(dtype, *value);
    } else {
      forget(*out, i, count);
    }
  }
  return out;
}

// Whole numbers that a real number can become without overflow.
bool fits(double value) {
  return value > -9.2e18 && value < 9.2e18;
}

}  // namespace

Fact combine(const Fact& a, const Fact& b, BinaryFunction function) {
  Fact out;
  out.dtype = a.dtype != DType::undefined ? a.dtype : b.dtype;
  if (!a.ranked || !b.ranked) return out;
  out.ranked = true;
  out.shape = broadcast(a.shape, b.shape);
  if (!a.content || !b.content) return out;
  const auto count = base::checked_product(out.shape);
  if (!count || !followed(out.dtype, *count)) return out;
  const ContentPtr left = broadcast_content(a.content, a.shape, out.shape);
  const ContentPtr right = broadcast_content(b.content, b.shape, out.shape);
  if (left && right) out.content = combine_content(*left, *right, out.dtype, function);
  return out;
}

Fact cast_fact(const Fact& fact, DType to) {
  Fact out{to, fact.ranked, fact.shape, nullptr};
  if (!fact.content || !fact.ranked) return out;
  const std::size_t count = size_of(*fact.content);
  const bool from_real = tensor::is_real(fact.dtype), to_real = tensor::is_real(to);
  if (!followed(to, static_cast<std::int64_t>(count))) return out;
  auto content = std::make_shared<Content>();
  content->unknown = fact.content->unknown;
  if (to_real)
    content->reals.resize(count);
  else
    content->ints.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!fact.content->known(i)) continue;
    if (to_real) {
      const double value = from_real ? fact.content->reals[i] : static_cast<double>(fact.content->ints[i]);
      content->reals[i] = round_to(to, value);
    } else if (!from_real) {
      content->ints[i] = wrap_to(to, fact.content->ints[i]);
    } else if (to == DType::boolean) {
      content->ints[i] = fact.content->reals[i] != 0 ? 1 : 0;
    } else if (const double value = fact.content->reals[i]; fits(value)) {
      content->ints[i] = static_cast<std::int64_t>(value);
      if (wrap_to(to, content->ints[i]) != content->ints[i]) forget(*content, i, count);
    } else {
      forget(*content, i, count);
    }
  }
  out.content = std::move(content);
  return out;
}

}  // namespace coppice::graph::ops
