// Comparisons, logic, bits, and the choice between two operands.
#include "graph/ops/binary.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

using Int = std::optional<std::int64_t>;

// Comparisons of reals run on the result of Real, 1 or 0, and become booleans.
template <IntFunction Whole, RealFunction Real>
void compare(InferContext& c) {
  expect_inputs(c, 2);
  c.out(0, cast_fact(combine(c.in(0), c.in(1), {Whole, Real}), DType::boolean));
}

template <IntFunction Whole>
void bitwise(InferContext& c) {
  expect_inputs(c, 2);
  c.out(0, combine(c.in(0), c.in(1), {Whole, nullptr}));
}

Int equal(std::int64_t a, std::int64_t b) {
  return a == b;
}
double equal_real(double a, double b) {
  return a == b;
}
Int less(std::int64_t a, std::int64_t b) {
  return a < b;
}
double less_real(double a, double b) {
  return a < b;
}
Int less_equal(std::int64_t a, std::int64_t b) {
  return a <= b;
}
double less_equal_real(double a, double b) {
  return a <= b;
}
Int more(std::int64_t a, std::int64_t b) {
  return a > b;
}
double more_real(double a, double b) {
  return a > b;
}
Int more_equal(std::int64_t a, std::int64_t b) {
  return a >= b;
}
double more_equal_real(double a, double b) {
  return a >= b;
}
Int bit_and(std::int64_t a, std::int64_t b) {
  return a & b;
}
Int bit_or(std::int64_t a, std::int64_t b) {
  return a | b;
}
Int bit_xor(std::int64_t a, std::int64_t b) {
  return a ^ b;
}
Int shift_left(std::int64_t a, std::int64_t b) {
  if (b < 0 || b > 63) return std::nullopt;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << b);
}
Int shift_right(std::int64_t a, std::int64_t b) {
  if (b < 0 || b > 63) return std::nullopt;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) >> b);
}

void infer_shift(InferContext& c) {
  expect_inputs(c, 2);
  const bool left = c.node().string_or("direction", "LEFT") == "LEFT";
  c.out(0, combine(c.in(0), c.in(1), {left ? shift_left : shift_right, nullptr}));
}

ContentPtr choose(const Content& condition, const Content& yes, const Content& no, std::size_t count) {
  std::vector<std::int64_t> from(count);
  const bool real = !yes.reals.empty();
  auto out = std::make_shared<Content>();
  if (real ? no.reals.size() != count : yes.ints.size() != count || no.ints.size() != count) return nullptr;
  if (real)
    out->reals.resize(count);
  else
    out->ints.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool agree = yes.known(i) && no.known(i) && (real ? yes.reals[i] == no.reals[i] : yes.ints[i] == no.ints[i]);
    if (!condition.known(i) && !agree) {
      forget(*out, i, count);
      continue;
    }
    const Content& chosen = condition.known(i) && condition.ints[i] == 0 ? no : yes;
    if (!chosen.known(i))
      forget(*out, i, count);
    else if (real)
      out->reals[i] = chosen.reals[i];
    else
      out->ints[i] = chosen.ints[i];
  }
  return out;
}

void infer_where(InferContext& c) {
  expect_inputs(c, 3);
  const Fact &condition = c.in(0), &yes = c.in(1), &no = c.in(2);
  Fact out{yes.dtype != DType::undefined ? yes.dtype : no.dtype, false, {}, nullptr};
  const auto shape = broadcast_inputs(c, 0, 3);
  if (!shape) return c.out(0, std::move(out));
  out.ranked = true;
  out.shape = *shape;
  if (out.complete() && followed(out.dtype, dim_product(*shape)) && condition.content && yes.content && no.content) {
    const auto spread = [&](const Fact& fact) { return broadcast_content(fact.content, fact.shape, *shape); };
    const ContentPtr a = spread(condition), b = spread(yes), d = spread(no);
    const auto count = static_cast<std::size_t>(dim_product(*shape));
    if (a && b && d && a->ints.size() == count) out.content = choose(*a, *b, *d, count);
  }
  c.out(0, std::move(out));
}

}  // namespace

void add_logic_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Equal", compare<equal, equal_real>});
  defs.push_back({"", "Less", compare<less, less_real>});
  defs.push_back({"", "LessOrEqual", compare<less_equal, less_equal_real>});
  defs.push_back({"", "Greater", compare<more, more_real>});
  defs.push_back({"", "GreaterOrEqual", compare<more_equal, more_equal_real>});
  defs.push_back({"", "And", bitwise<bit_and>});
  defs.push_back({"", "Or", bitwise<bit_or>});
  defs.push_back({"", "Xor", bitwise<bit_xor>});
  defs.push_back({"", "BitwiseAnd", bitwise<bit_and>});
  defs.push_back({"", "BitwiseOr", bitwise<bit_or>});
  defs.push_back({"", "BitwiseXor", bitwise<bit_xor>});
  defs.push_back({"", "BitShift", infer_shift});
  defs.push_back({"", "Where", infer_where});
}

}  // namespace coppice::graph::ops
