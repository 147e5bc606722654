#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

std::vector<ValueId> operands(Site& site) {
  std::vector<ValueId> out{site.in(0), site.in(1)};
  if (site.has(2)) out.push_back(site.in(2));
  return out;
}

std::vector<Attribute> window(Site& site, Ints strides, Ints pads, Ints dilations, std::int64_t groups) {
  const Ints weight = site.shape(1);
  return {attr("dilations", std::move(dilations)), attr("group", groups),
          attr("kernel_shape", Ints(weight.begin() + 2, weight.end())), attr("pads", std::move(pads)),
          attr("strides", std::move(strides))};
}

// (input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
bool convolution(Site& site) {
  const auto spatial = static_cast<std::size_t>(site.rank(1)) - 2;
  std::vector<Attribute> attributes =
      window(site, spread(site.ints(3), spatial), both_ends(spread(site.ints(4), spatial)),
             spread(site.ints(5), spatial), site.integer(8, 1));
  if (!site.flag(6)) {
    site.out(site.op("Conv", operands(site), std::move(attributes)));
    return true;
  }
  attributes.push_back(attr("output_padding", spread(site.ints(7), spatial)));
  site.out(site.op("ConvTranspose", operands(site), std::move(attributes)));
  return true;
}

// (input, weight, bias, stride, padding as text, dilation, groups); "same" puts the odd one at the end.
bool convolution_mode(Site& site) {
  const auto spatial = static_cast<std::size_t>(site.rank(1)) - 2;
  const Ints dilations = spread(site.ints(5), spatial);
  Ints pads(2 * spatial, 0);
  if (site.text(4) == "same") {
    for (std::size_t k = 0; k < spatial; ++k) {
      const std::int64_t all = dilations[k] * (site.shape(1)[k + 2] - 1);
      pads[k] = all / 2;
      pads[k + spatial] = all - all / 2;
    }
  } else if (site.text(4) != "valid") {
    return false;
  }
  site.out(site.op("Conv", operands(site),
                   window(site, spread(site.ints(3), spatial), std::move(pads), dilations, site.integer(6, 1))));
  return true;
}

}  // namespace

void add_conv_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"_convolution", convolution});
  rules.push_back({"convolution", convolution});
  rules.push_back({"_convolution_mode", convolution_mode});
}

}  // namespace coppice::tracing
