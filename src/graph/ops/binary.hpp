#pragma once
#include <cstdint>
#include <optional>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"

/// Two operands under broadcasting, with content.
namespace coppice::graph::ops {

/// Nothing where the result is undefined (division by zero): the element becomes unknown.
using IntFunction = std::optional<std::int64_t> (*)(std::int64_t, std::int64_t);
using RealFunction = double (*)(double, double);
struct BinaryFunction {
  IntFunction whole = nullptr;  ///< Null: whole-number content is not followed.
  RealFunction real = nullptr;
};

/// The broadcast of two facts; its type is that of `a` (of `b` where that is undefined).
Fact combine(const Fact& a, const Fact& b, BinaryFunction function);

/// `fact` with its elements converted as ONNX Cast does: real to whole truncates, out of range is unknown.
Fact cast_fact(const Fact& fact, DType to);

}  // namespace coppice::graph::ops
