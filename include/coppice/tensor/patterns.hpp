#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "coppice/tensor/mask.hpp"
#include "coppice/tensor/smallest.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// N:M sparsity: of every run of `of` elements along `axis`, counted from index 0, the `keep` largest stay; of equal
/// ones the lower index goes first. `of` divides the axis.
struct KeepOf {
  std::int64_t keep = 2, of = 4;
  std::size_t axis = 0;
};

/// By absolute value; fp64, fp32, fp16 and bf16. All of it is one pass: each weight is read and written once. Runs of
/// up to 16 side by side in memory, and 2 of 4 in a row, are vector code. Throws Error on another type, unless 0 < keep
/// < of, when `of` does not divide the axis, and on NaN, which names `name` and the index. `out` is the tensor's own
/// bytes or apart from them, as for apply_mask().
void zero_keep_of(std::string_view name, const Tensor& tensor, const KeepOf& pattern, std::span<std::byte> out);
/// The same as a mask.
Mask mask_keep_of(std::string_view name, const Tensor& tensor, const KeepOf& pattern);
/// By scores of a tensor of this shape; about ten times slower.
Mask mask_keep_of(const Scores& scores, const Shape& shape, const KeepOf& pattern);

/// Elements that go to zero together. The tensor's elements, in memory order, are seen as of `shape`; those that differ
/// in `together` axes only are one unit. Units are numbered in the order of the other axes.
/// [O,I,H,W] with {false,false,true,true} are kernels; a matrix [R,C] in tiles of a x b is [R/a,a,C/b,b] with
/// {false,true,false,true}.
struct Units {
  Shape shape;
  std::vector<bool> together;

  std::int64_t count() const;  ///< Of units.
  std::int64_t size() const;   ///< Elements of each.
};

/// For each unit the sum of |w|^power over its elements, in double precision; power 1 or 2. Bitwise the same for any
/// number of threads. Throws Error when the view does not fit the tensor, or its type has no has_magnitude().
std::vector<double> unit_power_sums(const Tensor& tensor, const Units& units, int power);
/// The elements of the units with drop[unit] go.
Mask unit_mask(const Units& units, const std::vector<bool>& drop);

}  // namespace coppice::tensor
