#pragma once
#include <optional>
#include <string>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/sparsity/sparsifier.hpp"

/// Which sites take part, and with how much.
namespace coppice::sparsity {

/// Throws Error, which names `what`, unless 0 <= sparsity <= 1.
void check_share(const std::string& what, double sparsity);
/// Throws Error for numbers out of range and options that do not go together.
void check_options(const SparsifyOptions& options);
/// For choices that are repeated while zeros stay: throws Error for a criterion that takes zeros for the largest.
void check_keeps_zeros(const SparsifyOptions& options);
/// Throws Error, with the nearest names, for a name in `layers` or `ignore` that no site has.
void check_names(const std::vector<Site>& sites, const SparsifyOptions& options);

/// Why a site stays dense; none when it takes part.
std::optional<std::string> exclusion(const Site& site, const SparsifyOptions& options);
/// The sparsity that `layers` gives a site; the last that matches holds.
std::optional<double> own_sparsity(const Site& site, const SparsifyOptions& options);
/// For a mask of a site that there is no weight for.
Error no_such_weight(const Site& site);
/// Throws Error unless a mask of the site fits the weight.
void check_fits(const Site& site, const tensor::Tensor& weight);
/// Throws the Error for when all sites stay dense, or there are none.
[[noreturn]] void nothing_left(const std::vector<LeftDense>& left);

}  // namespace coppice::sparsity
