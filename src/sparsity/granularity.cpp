#include "coppice/sparsity/granularity.hpp"

#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"

namespace coppice::sparsity {
namespace {

constexpr base::Names<Granularity, 15> names{{{Granularity::weight, "weight"},
                                              {Granularity::row, "row"},
                                              {Granularity::column, "column"},
                                              {Granularity::kernel, "kernel"},
                                              {Granularity::channel, "channel"},
                                              {Granularity::vertical_slice, "vertical_slice"},
                                              {Granularity::horizontal_slice, "horizontal_slice"},
                                              {Granularity::filter, "filter"},
                                              {Granularity::shared_weight, "shared_weight"},
                                              {Granularity::shared_row, "shared_row"},
                                              {Granularity::shared_column, "shared_column"},
                                              {Granularity::shared_kernel, "shared_kernel"},
                                              {Granularity::shared_channel, "shared_channel"},
                                              {Granularity::shared_vertical_slice, "shared_vertical_slice"},
                                              {Granularity::shared_horizontal_slice, "shared_horizontal_slice"}}};

/// Which axes of a convolution are given up.
struct Given {
  bool input, height, width, depth;
};

Given given_up(std::string_view name) {
  if (name == "row") return {false, false, true, false};
  if (name == "column") return {false, true, false, false};
  if (name == "kernel") return {false, true, true, true};
  if (name == "channel") return {true, false, false, false};
  if (name == "vertical_slice") return {true, true, false, false};
  if (name == "horizontal_slice") return {true, false, true, false};
  if (name == "filter") return {true, true, true, true};
  return {false, false, false, false};
}

}  // namespace

std::string_view to_string(Granularity granularity) {
  return base::find_name(names, granularity);
}

Granularity parse_granularity(std::string_view text) {
  return base::parse_name("granularity", names, text);
}

tensor::Units units_of(const Site& site, Granularity granularity) {
  const std::size_t rank = site.shape.size();
  tensor::Units out{site.shape, std::vector<bool>(rank)};
  if (granularity == Granularity::weight) return out;
  std::string_view name = to_string(granularity);
  const auto fail = [&](const std::string& expected) {
    return Error(site.layer + ": granularity " + std::string(to_string(granularity)) + " is not for " +
                 (site.convolution() ? "convolutions of rank " + std::to_string(rank) : "matrices") + ": expected " +
                 expected + ", or the layer ignored");
  };
  if (!site.convolution()) {
    if (granularity != Granularity::row && granularity != Granularity::column) throw fail("weight, row or column");
    out.together[granularity == Granularity::row ? site.input_axis : site.output_axis] = true;
    return out;
  }
  constexpr std::string_view shared = "shared_";
  if (name.starts_with(shared)) {
    out.together[site.output_axis] = true;
    name.remove_prefix(shared.size());
  }
  const Given given = given_up(name);
  if (given.input && site.input_groups > 1)
    throw fail("one that keeps inputs apart, for this one is transposed and in groups");
  const std::vector<std::size_t>& kernel = site.kernel_axes;
  if (given.height && !given.width && kernel.size() < 2) throw fail("a granularity without height");
  if (given.input) out.together[site.input_axis] = true;
  // From the innermost: width, height, depth.
  for (std::size_t i = 0; i < kernel.size(); ++i)
    out.together[kernel[kernel.size() - 1 - i]] = i == 0 ? given.width : i == 1 ? given.height : given.depth;
  return out;
}

}  // namespace coppice::sparsity
