#include <cmath>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// Where the given factors, one a spatial axis, lead to the recorded extents, they are the scales; else the extents are.
ValueId resized(Site& site, std::size_t first_factor, std::vector<Attribute> attributes) {
  const Ints in = site.shape(0), out = site.out_shape();
  std::vector<double> factors;
  for (std::size_t i = first_factor; i < site.count(); ++i)
    for (const double factor : site.reals(i)) factors.push_back(factor);
  bool exact = factors.size() + 2 == in.size();
  for (std::size_t k = 0; exact && k < factors.size(); ++k)
    exact = static_cast<std::int64_t>(std::floor(static_cast<float>(in[k + 2]) * static_cast<float>(factors[k]))) ==
            out[k + 2];
  if (!exact) {
    exact = true;
    factors.clear();
    for (std::size_t k = 2; k < in.size(); ++k) {
      exact = exact && in[k] != 0 && out[k] % in[k] == 0;
      factors.push_back(static_cast<double>(out[k]) / static_cast<double>(in[k]));
    }
  }
  if (exact) {
    factors.insert(factors.begin(), {1.0, 1.0});
    const ValueId scales = site.table(at::tensor(factors, at::TensorOptions(at::kDouble)).to(at::kFloat), "scales");
    return site.op("Resize", {site.in(0), graph::no_value, scales}, std::move(attributes));
  }
  const ValueId shape = site.op("Shape", {site.in(0)}, {attr("end", 2)}, "shape");
  const ValueId extents = site.constant(Ints(out.begin() + 2, out.end()), "extents");
  const ValueId sizes = site.op("Concat", {shape, extents}, {attr("axis", 0)}, "sizes");
  return site.op("Resize", {site.in(0), graph::no_value, graph::no_value, sizes}, std::move(attributes));
}

Attribute text(std::string_view name, const char* value) {
  return attr(name, std::string(value));
}

// (x, extents, factors...)
bool nearest(Site& site) {
  const bool middle = site.name().find("exact") != std::string_view::npos;
  site.out(
      resized(site, 2,
              {text("mode", "nearest"), text("coordinate_transformation_mode", middle ? "half_pixel" : "asymmetric"),
               text("nearest_mode", middle ? "round_prefer_ceil" : "floor")}));
  return true;
}

// (x, extents, align_corners, factors...)
bool interpolated(Site& site) {
  const bool cubic = site.name() == "upsample_bicubic2d";
  std::vector<Attribute> attributes{
      text("mode", cubic ? "cubic" : "linear"),
      text("coordinate_transformation_mode", site.flag(2) ? "align_corners" : "half_pixel")};
  if (cubic) attributes.push_back(attr("cubic_coeff_a", -0.75f));
  site.out(resized(site, 3, std::move(attributes)));
  return true;
}

}  // namespace

void add_resize_rules(std::vector<RuleEntry>& rules) {
  for (const std::string_view op :
       {"upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact1d",
        "_upsample_nearest_exact2d", "_upsample_nearest_exact3d"})
    rules.push_back({op, nearest});
  for (const std::string_view op :
       {"upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d"})
    rules.push_back({op, interpolated});
}

}  // namespace coppice::tracing
