#pragma once
#include <string_view>

#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/patterns.hpp"

namespace coppice::sparsity {

/// Which weights go to zero together. Of a convolution [O,I,H,W]: along the axes that the name gives up; the shared
/// forms give up O as well, so that all filters lose the same place. Of a matrix [O,I] only weight, row and column.
enum class Granularity {
  weight,
  row,               ///< W; of a matrix all inputs of one output.
  column,            ///< H; of a matrix all outputs of one input.
  kernel,            ///< H and W, and depth.
  channel,           ///< I.
  vertical_slice,    ///< I and H.
  horizontal_slice,  ///< I and W.
  filter,            ///< I, H and W: all of an output.
  shared_weight,
  shared_row,
  shared_column,
  shared_kernel,
  shared_channel,
  shared_vertical_slice,
  shared_horizontal_slice,
};

std::string_view to_string(Granularity granularity);
/// Throws Error, which lists the names, on any other text.
Granularity parse_granularity(std::string_view text);

/// The units of a site's weight. Throws Error, which names the site, where its kind has no such units.
tensor::Units units_of(const Site& site, Granularity granularity);

}  // namespace coppice::sparsity
