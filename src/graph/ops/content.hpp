#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "coppice/graph/fact.hpp"

/// Known elements of small tensors ("content"), which is how shape arithmetic is followed.
namespace coppice::graph::ops {

using ContentPtr = std::shared_ptr<const Content>;

/// Real content is followed up to this many elements: the scales and bounds of shape arithmetic, not weights.
inline constexpr std::int64_t real_content_limit = 64;

/// True when a tensor of this type and number of elements is small enough to follow.
bool followed(DType dtype, std::int64_t elements);
/// The elements of a constant; null when it is too large or of a type without content.
ContentPtr content_of(const Tensor& tensor);
/// Number of elements.
std::size_t size_of(const Content& content);

/// Output element i is element from[i] of `content`; from[i] < 0 gives an unknown element.
ContentPtr pick(const Content& content, std::span<const std::int64_t> from);
/// As pick(), in row-major order over `shape`: the element at index o is `offset` + sum of o[d] * steps[d].
ContentPtr pick_strided(const Content& content, std::int64_t offset, std::span<const std::int64_t> shape,
                        std::span<const std::int64_t> steps);
/// Content of a value of `shape` broadcast to the complete shape `to`.
ContentPtr broadcast_content(const ContentPtr& content, std::span<const std::int64_t> shape,
                             std::span<const std::int64_t> to);
/// All elements unknown.
ContentPtr all_unknown(DType dtype, std::size_t elements);
/// Whole numbers from extents: a negative one is an unknown element.
ContentPtr from_extents(std::span<const std::int64_t> extents);
/// One whole number.
ContentPtr from_int(std::int64_t value);

/// Marks element i of content under construction (`elements` in all) as unknown.
void forget(Content& content, std::size_t i, std::size_t elements);
/// A fact with content where the content has the right size to be followed, without otherwise.
Fact with_content(DType dtype, Shape shape, ContentPtr content);

/// Rounds a real number to the precision of its type, so that results agree with the machine that runs the model.
double round_to(DType dtype, double value);
/// Wraps a whole number into its type, as arithmetic in that type does.
std::int64_t wrap_to(DType dtype, std::int64_t value);

/// Row-major strides in elements; the shape must be complete.
std::vector<std::int64_t> strides_of(std::span<const std::int64_t> shape);

}  // namespace coppice::graph::ops
