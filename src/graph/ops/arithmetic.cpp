// Arithmetic of two or more operands under broadcasting, with content.
#include <cmath>

#include "graph/ops/binary.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

using Int = std::optional<std::int64_t>;

std::int64_t wrap(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
std::uint64_t bits(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}
bool divides(std::int64_t a, std::int64_t b) {
  return b != 0 && !(a == INT64_MIN && b == -1);
}

Int add(std::int64_t a, std::int64_t b) {
  return wrap(bits(a) + bits(b));
}
Int sub(std::int64_t a, std::int64_t b) {
  return wrap(bits(a) - bits(b));
}
Int mul(std::int64_t a, std::int64_t b) {
  return wrap(bits(a) * bits(b));
}
// ONNX leaves the rounding of integer division open; run times truncate towards zero.
Int div(std::int64_t a, std::int64_t b) {
  return divides(a, b) ? Int(a / b) : std::nullopt;
}
// The sign follows the divisor.
Int mod_floor(std::int64_t a, std::int64_t b) {
  if (!divides(a, b)) return std::nullopt;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
Int mod_trunc(std::int64_t a, std::int64_t b) {
  return divides(a, b) ? Int(a % b) : std::nullopt;
}
Int power(std::int64_t a, std::int64_t b) {
  if (b < 0) {
    if (a == 0) return std::nullopt;
    if (a == 1) return 1;
    if (a == -1) return b % 2 == 0 ? 1 : -1;
    return 0;
  }
  std::uint64_t out = 1, base = bits(a);
  for (auto e = bits(b); e != 0; e >>= 1, base *= base)
    if (e & 1) out *= base;
  return wrap(out);
}
Int lesser(std::int64_t a, std::int64_t b) {
  return std::min(a, b);
}
Int greater(std::int64_t a, std::int64_t b) {
  return std::max(a, b);
}

double add_real(double a, double b) {
  return a + b;
}
double sub_real(double a, double b) {
  return a - b;
}
double mul_real(double a, double b) {
  return a * b;
}
double div_real(double a, double b) {
  return a / b;
}
double min_real(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
}
double max_real(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
}

template <IntFunction Whole, RealFunction Real>
void binary(InferContext& c) {
  expect_inputs(c, 2);
  c.out(0, combine(c.in(0), c.in(1), {Whole, Real}));
}

void infer_mod(InferContext& c) {
  expect_inputs(c, 2);
  const bool truncating = c.node().int_or("fmod", 0) != 0;
  c.out(0, combine(c.in(0), c.in(1),
                   {truncating ? mod_trunc : mod_floor, [](double a, double b) { return std::fmod(a, b); }}));
}

// The two operands may differ in type; the result has the type of the base.
void infer_pow(InferContext& c) {
  expect_inputs(c, 2);
  Fact base = c.in(0), exponent = c.in(1);
  const DType type = base.dtype;
  if (tensor::is_integer(base.dtype) != tensor::is_integer(exponent.dtype)) {
    base = cast_fact(base, DType::float64);
    exponent = cast_fact(exponent, DType::float64);
  }
  Fact out = combine(base, exponent, {power, [](double a, double b) { return std::pow(a, b); }});
  c.out(0, out.dtype == type ? out : cast_fact(out, type));
}

template <IntFunction Whole, RealFunction Real>
Fact fold(InferContext& c) {
  expect_inputs(c, 1);
  Fact out = c.in(0);
  for (std::size_t i = 1; i < c.input_count(); ++i) out = combine(out, c.in(i), {Whole, Real});
  return out;
}

template <IntFunction Whole, RealFunction Real>
void variadic(InferContext& c) {
  c.out(0, fold<Whole, Real>(c));
}

void infer_mean(InferContext& c) {
  Fact out = fold<add, add_real>(c);
  out.content = nullptr;
  c.out(0, std::move(out));
}

}  // namespace

void add_arithmetic_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Add", binary<add, add_real>});
  defs.push_back({"", "Sub", binary<sub, sub_real>});
  defs.push_back({"", "Mul", binary<mul, mul_real>});
  defs.push_back({"", "Div", binary<div, div_real>});
  defs.push_back({"", "Mod", infer_mod});
  defs.push_back({"", "Pow", infer_pow});
  defs.push_back({"", "Min", variadic<lesser, min_real>});
  defs.push_back({"", "Max", variadic<greater, max_real>});
  defs.push_back({"", "Sum", variadic<add, add_real>});
  defs.push_back({"", "Mean", infer_mean});
}

}  // namespace coppice::graph::ops
