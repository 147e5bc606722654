#pragma once
#include <cstddef>
#include <span>

#include "coppice/base/error.hpp"
#include "coppice/sparsity/sparsifier.hpp"

namespace coppice::sparsity {

/// What zeros of tensors one after the other say of each.
Error stays_dense(std::size_t weight);
/// Throws Error unless `out` is as long as the tensor's bytes.
void check_room(const Site& site, const tensor::Tensor& tensor, std::span<std::byte> out);
/// Zeros of the tensor, and of what was written.
ZeroCount count_written(const Site& site, const tensor::Tensor& tensor, std::span<const std::byte> written);

}  // namespace coppice::sparsity
