// Functions of one operand whose elements are followed.
#include <cmath>

#include "graph/ops/binary.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

using WholeUnary = std::int64_t (*)(std::int64_t);
using RealUnary = double (*)(double);

Fact apply(const Fact& in, WholeUnary whole, RealUnary real) {
  Fact out = in;
  out.content = nullptr;
  if (!in.content) return out;
  const bool is_real = tensor::is_real(in.dtype);
  if (is_real ? !real : !whole) return out;
  auto content = std::make_shared<Content>(*in.content);
  for (double& x : content->reals) x = round_to(in.dtype, real(x));
  for (std::int64_t& x : content->ints) x = wrap_to(in.dtype, whole(x));
  out.content = std::move(content);
  return out;
}

template <WholeUnary Whole, RealUnary Real>
void unary(InferContext& c) {
  c.out(0, apply(c.in(0), Whole, Real));
}

std::int64_t negated(std::int64_t x) {
  return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x));
}
double negated_real(double x) {
  return -x;
}
std::int64_t absolute(std::int64_t x) {
  return x < 0 ? negated(x) : x;
}
double absolute_real(double x) {
  return std::fabs(x);
}
std::int64_t sign(std::int64_t x) {
  return (x > 0) - (x < 0);
}
double sign_real(double x) {
  return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0));
}
std::int64_t same(std::int64_t x) {
  return x;
}
double square_root(double x) {
  return std::sqrt(x);
}
double exponential(double x) {
  return std::exp(x);
}
double logarithm(double x) {
  return std::log(x);
}
double down(double x) {
  return std::floor(x);
}
double up(double x) {
  return std::ceil(x);
}
// The default rounding mode takes halves to the even neighbour, as ONNX Round asks.
double nearest(double x) {
  return std::nearbyint(x);
}
double inverse(double x) {
  return 1 / x;
}
std::int64_t logical_not(std::int64_t x) {
  return x == 0 ? 1 : 0;
}
std::int64_t bitwise_not(std::int64_t x) {
  return ~x;
}
std::int64_t positive(std::int64_t x) {
  return x < 0 ? 0 : x;
}
double positive_real(double x) {
  return x < 0 ? 0 : x;
}

void infer_cast(InferContext& c) {
  c.out(0, cast_fact(c.in(0), dtype_attribute(c, "to", DType::undefined)));
}

void infer_cast_like(InferContext& c) {
  c.out(0, cast_fact(c.in(0), c.in(1).dtype));
}

void infer_identity(InferContext& c) {
  c.out(0, c.in(0));
}

std::optional<std::int64_t> lesser(std::int64_t a, std::int64_t b) {
  return std::min(a, b);
}
std::optional<std::int64_t> greater(std::int64_t a, std::int64_t b) {
  return std::max(a, b);
}

// Bounds are attributes before operator set 11, scalar operands after.
void infer_clip(InferContext& c) {
  Fact out = c.in(0);
  const auto bound = [&](std::size_t i, const char* name, BinaryFunction function) {
    if (!out.content) return;
    Fact limit;
    if (const Attribute* a = c.node().find(name); a && c.opset() < 11) {
      auto content = std::make_shared<Content>();
      content->reals = {static_cast<double>(c.node().float_or(name, 0))};
      limit = with_content(out.dtype, {}, content);
    } else if (c.has_input(i)) {
      limit = c.in(i);
    } else {
      return;
    }
    if (limit.rank() != 0) limit.content = nullptr;
    const ContentPtr content = limit.content ? combine(out, limit, function).content : nullptr;
    out.content = content;
  };
  bound(1, "min", {greater, [](double a, double b) { return std::max(a, b); }});
  bound(2, "max", {lesser, [](double a, double b) { return std::min(a, b); }});
  c.out(0, std::move(out));
}

}  // namespace

void add_unary_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Abs", unary<absolute, absolute_real>});
  defs.push_back({"", "BitwiseNot", unary<bitwise_not, nullptr>});
  defs.push_back({"", "Cast", infer_cast});
  defs.push_back({"", "CastLike", infer_cast_like});
  defs.push_back({"", "Ceil", unary<same, up>});
  defs.push_back({"", "Clip", infer_clip});
  defs.push_back({"", "Exp", unary<nullptr, exponential>});
  defs.push_back({"", "Floor", unary<same, down>});
  defs.push_back({"", "Identity", infer_identity});
  defs.push_back({"", "Log", unary<nullptr, logarithm>});
  defs.push_back({"", "Neg", unary<negated, negated_real>});
  defs.push_back({"", "Not", unary<logical_not, nullptr>});
  defs.push_back({"", "Reciprocal", unary<nullptr, inverse>});
  defs.push_back({"", "Relu", unary<positive, positive_real>});
  defs.push_back({"", "Round", unary<nullptr, nearest>});
  defs.push_back({"", "Sign", unary<sign, sign_real>});
  defs.push_back({"", "Sqrt", unary<nullptr, square_root>});
}

}  // namespace coppice::graph::ops
