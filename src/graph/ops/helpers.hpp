#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/infer.hpp"

/// What inference functions share. Extents are element counts, -1 where unknown. The driver puts the node's name in
/// front of every Error, so messages here say only what was expected and what was found.
namespace coppice::graph::ops {

inline constexpr std::int64_t unknown = -1;

/// Throws Error(what).
[[noreturn]] void fail(const std::string& what);
/// "1x3x?x224"; "scalar" for rank 0.
std::string show(const Shape& shape);

/// Sum and product of extents: unknown when an operand is (except that 0 times anything is 0). Throw Error on overflow.
std::int64_t dim_add(std::int64_t a, std::int64_t b);
std::int64_t dim_mul(std::int64_t a, std::int64_t b);
/// Product of the extents, as dim_mul.
std::int64_t dim_product(std::span<const std::int64_t> extents);
/// Two extents that must be equal: the known one. Throws Error naming `what` when they differ.
std::int64_t dim_same(std::int64_t a, std::int64_t b, std::string_view what);

/// ONNX multidirectional broadcasting of two shapes. Throws Error when they don't fit.
Shape broadcast(const Shape& a, const Shape& b);
/// Broadcasts the shapes of operands [first, last); nothing when one of them is not ranked or absent.
std::optional<Shape> broadcast_inputs(const InferContext& c, std::size_t first, std::size_t last);

/// Normalises an axis in [-rank, rank). Throws Error when it is out of range.
std::size_t axis_of(std::int64_t axis, std::size_t rank);
/// Normalises each axis, throws Error when one is out of range or stands twice.
std::vector<std::size_t> axes_of(std::span<const std::int64_t> axes, std::size_t rank);

/// A list that may be an attribute (older operator sets) or an operand (newer ones).
struct IntList {
  bool present = false;  ///< The node gives it.
  bool known = false;    ///< Its elements are known (false when absent).
  std::vector<std::int64_t> values;
};
/// Reads attribute `name` if the node has it, else operand `input`.
IntList int_list(const InferContext& c, std::string_view name, std::size_t input);
/// The single whole number in operand i, when it is known.
std::optional<std::int64_t> int_operand(const InferContext& c, std::size_t i);
/// The single number (real or whole) in operand i, when it is known.
std::optional<double> real_operand(const InferContext& c, std::size_t i);

/// Element i of a fact's whole-number content, when it is known.
std::optional<std::int64_t> int_at(const Fact& fact, std::size_t i);
/// The extents that a one-dimensional whole-number operand spells out, one per element, nothing for unknown elements.
/// Nothing at all when even their number is unknown (or absurd: more than max_rank).
std::optional<std::vector<std::optional<std::int64_t>>> extent_list(const Fact& fact);
inline constexpr std::int64_t max_rank = 64;

/// Throws Error when operand i is ranked and its rank is outside [lowest, highest].
void expect_rank(const InferContext& c, std::size_t i, std::size_t lowest, std::size_t highest);
/// Throws Error when the node has fewer operands; operators whose operands index shapes call this first.
void expect_inputs(const InferContext& c, std::size_t count);

/// Output 0 has type and shape of operand 0. An inference function as it stands.
void same_as_input(InferContext& c);
/// Output i gets a type alone, its shape stays unknown.
void out_type(InferContext& c, std::size_t i, DType dtype);
/// The type in an attribute such as `to` or `dtype`; `fallback` when absent.
DType dtype_attribute(const InferContext& c, std::string_view name, DType fallback);

}  // namespace coppice::graph::ops
