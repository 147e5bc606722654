#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature mlp(Maker& m, const Feature& x) {
  const Feature y = m.linear(m.activation(m.linear(x, m.width())), x[2]);
  return m.map("Add", x, {y});
}

Feature widen(Maker& m, const Feature& x) {
  return m.activation(m.linear(x, m.width()));
}

// Gemm takes matrices only: the sequence is flattened around it.
Feature flat_gemm(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Feature flat = m.reshape(x, {x[0] * x[1], x[2]});
  const Feature y = m.activation(m.linear(flat, out));
  return m.op("Reshape", {y, m.builder.ints({-1, x[1], out})}, {x[0], x[1], out});
}

Feature swiglu(Maker& m, const Feature& x) {
  const std::int64_t wide = m.width();
  const Feature gate = m.linear(x, wide, false);
  const Feature up = m.linear(x, wide, false);
  const Feature swish = m.map("Mul", gate, {m.map("Sigmoid", gate)});
  return m.map("Add", x, {m.linear(m.map("Mul", swish, {up}), x[2], false)});
}

Feature geglu(Maker& m, const Feature& x) {
  const std::int64_t wide = m.width();
  const Feature both = m.linear(x, 2 * wide);
  const Feature left = m.slice(both, 2, 0, wide), right = m.slice(both, 2, wide, 2 * wide);
  return m.map("Add", x, {m.linear(m.map("Mul", left, {m.gelu(right)}), x[2])});
}

// One matrix that two MatMuls read is truly tied.
Feature tied(Maker& m, const Feature& x) {
  const ValueId w = m.weight({x[2], x[2]}, x[2]);
  const Feature y = m.activation(m.op("MatMul", {x, w}, x.shape));
  return m.op("MatMul", {y, w}, x.shape);
}

// Down with a matrix and up with its transpose.
Feature autoencoder(Maker& m, const Feature& x) {
  const std::int64_t narrow = m.width();
  const ValueId w = m.weight({x[2], narrow}, x[2]);
  const Feature code = m.activation(m.op("MatMul", {x, w}, {x[0], x[1], narrow}));
  const ValueId back = m.builder.op("Transpose", {w}, {ints("perm", {1, 0})});
  return m.map("Add", x, {m.op("MatMul", {code, back}, x.shape)});
}

// Exporters keep one copy of equal vectors and alias the others through Identity.
Feature aliased_vectors(Maker& m, const Feature& x) {
  const ValueId one = m.values("equal", {x[2]}, 0.3);
  const ValueId two = m.builder.op("Identity", {one});
  const Feature y = m.activation(m.map("Add", x, {one}));
  const Feature z = m.op("MatMul", {y, m.weight({x[2], x[2]}, x[2])}, x.shape);
  return m.map("Add", z, {two});
}

Feature positions(Maker& m, const Feature& x) {
  const Shape shape = m.chance(0.5) ? Shape{x[1], x[2]} : Shape{1, x[1], x[2]};
  return m.map("Add", x, {m.values("positions", shape, 0.5)});
}

Feature vector_parameters(Maker& m, const Feature& x) {
  const Feature y = m.map("Mul", x, {m.values("scale", {x[2]}, 0.5, 1)});
  return m.map("Add", y, {m.values("shift", {x[2]}, 0.3)});
}

Feature temporal_conv(Maker& m, const Feature& x) {
  Feature y = m.transpose(x, {0, 2, 1});
  y = m.activation(m.conv(y, m.width(), {}));
  return m.transpose(y, {0, 2, 1});
}

// A learned token goes in front, as a class token, and the last one leaves.
Feature class_token(Maker& m, const Feature& x) {
  const ValueId token = m.values("token", {1, 1, x[2]}, 1);
  const Feature first = m.slice(x, 1, 0, 1);
  const Feature zero = m.map("Sub", first, {first});
  const Feature wide = m.map("Add", zero, {token});
  return m.slice(m.concat({wide, x}, 1), 1, 0, x[1]);
}

// Swin's shift: the sequence rolls by one.
Feature roll(Maker& m, const Feature& x) {
  const Feature y = m.concat({m.slice(x, 1, 1, x[1]), m.slice(x, 1, 0, 1)}, 1);
  return m.map("Add", x, {m.linear(y, x[2])});
}

// Windows merge with the batch and come apart again.
Feature windows(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Feature apart = m.reshape(x, {x[0], x[1] / 2, 2, x[2]});
  const Feature merged = m.op("Reshape", {apart, m.builder.ints({-1, 2, x[2]})}, {x[0] * x[1] / 2, 2, x[2]});
  const Feature y = m.activation(m.linear(merged, out));
  const Feature back = m.op("Reshape", {y, m.builder.ints({-1, x[1] / 2, 2, out})}, {x[0], x[1] / 2, 2, out});
  return m.reshape(back, {x[0], x[1], out});
}

// Swin's patch merging: neighbours are stacked along channels; here they part again.
Feature merging(Maker& m, const Feature& x) {
  const Feature stacked = m.reshape(x, {x[0], x[1] / 2, 2 * x[2]});
  const Feature y = m.linear(stacked, 2 * x[2], false);
  return m.reshape(m.activation(y), x.shape);
}

Feature centred(Maker& m, const Feature& x) {
  const Feature y = m.linear(x, m.width());
  return m.map("Sub", y, {m.reduce(m.chance(0.5) ? "ReduceMean" : "ReduceMin", y, {-1}, true)});
}

Feature time_gate(Maker& m, const Feature& x) {
  const Feature mean = m.reduce("ReduceMean", x, {1}, false);
  const Feature gate = m.map("Sigmoid", m.linear(mean, x[2]));
  return m.map("Mul", x, {m.unsqueeze(gate, {1})});
}

Feature outer_parameters(Maker& m, const Feature& x) {
  // The weight stands left of the data: [T, T] times [N, T, C].
  const ValueId w = m.weight({x[1], x[1]}, x[1]);
  const Feature y = m.op("MatMul", {w, x}, x.shape);
  return m.linear(m.activation(y), m.width());
}

constexpr Block blocks[] = {
    {"mlp", mlp},
    {"widen", widen},
    {"flattened gemm", flat_gemm},
    {"swiglu", swiglu},
    {"geglu", geglu},
    {"tied matrices", tied},
    {"tied with its transpose", autoencoder},
    {"aliased vectors", aliased_vectors},
    {"positions", positions},
    {"vector parameters", vector_parameters},
    {"temporal convolution", temporal_conv},
    {"class token", class_token},
    {"roll", roll},
    {"windows", windows},
    {"merging", merging},
    {"centred", centred},
    {"gate over time", time_gate},
    {"matrix over time", outer_parameters},
};

}  // namespace

std::span<const Block> token_blocks() {
  return blocks;
}

}  // namespace coppice::test
