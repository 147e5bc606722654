#include <cmath>

#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

ValueId real_scalar(Site& site, double value, std::string_view part) {
  return site.scalar(value, site.out_dtype(), part);
}

// In evaluation mode it gives back what it is given. (x, p, train)
bool dropout(Site& site) {
  if (!site.flag(2)) return same(site);
  if (site.name() != "dropout") return false;
  site.out(site.op("Dropout",
                   {site.in(0), real_scalar(site, site.real(1), "ratio"), site.scalar(1, at::kBool, "training")}));
  return true;
}

ValueId clip(Site& site, ValueId x, std::optional<double> low, std::optional<double> high) {
  const ValueId min = low ? real_scalar(site, *low, "min") : graph::no_value;
  if (!high) return site.op("Clip", {x, min});
  return site.op("Clip", {x, min, real_scalar(site, *high, "max")});
}

bool relu6(Site& site) {
  site.out(clip(site, site.in(0), 0, 6));
  return true;
}

// (x, min, max)
bool hardtanh(Site& site) {
  site.out(clip(site, site.in(0), site.real(1, -1), site.real(2, 1)));
  return true;
}

bool leaky_relu(Site& site) {
  site.out(site.op("LeakyRelu", {site.in(0)}, {attr("alpha", static_cast<float>(site.real(1, 0.01)))}));
  return true;
}

// (x, lower, upper, training)
bool rrelu(Site& site) {
  if (site.flag(3)) return false;
  const double slope = (site.real(1, 1.0 / 8) + site.real(2, 1.0 / 3)) / 2;
  site.out(site.op("LeakyRelu", {site.in(0)}, {attr("alpha", static_cast<float>(slope))}));
  return true;
}

// (x, weight): one slope, or one a channel, which is axis 1.
bool prelu(Site& site) {
  ValueId slope = site.in(1);
  Ints axes;
  for (std::int64_t k = 1; k + 1 < site.rank(0); ++k) axes.push_back(k);
  if (site.shape(1) != Ints{1} && !axes.empty())
    slope = site.op("Unsqueeze", {slope, site.constant(axes, "weight_axes")}, {}, "weight_column");
  site.out(site.op("PRelu", {site.in(0), slope}));
  return true;
}

// (x, alpha, scale, input_scale)
bool elu(Site& site) {
  if (site.real(2, 1) != 1 || site.real(3, 1) != 1) return false;
  site.out(site.op("Elu", {site.in(0)}, {attr("alpha", static_cast<float>(site.real(1, 1)))}));
  return true;
}

bool celu(Site& site) {
  site.out(site.op("Celu", {site.in(0)}, {attr("alpha", static_cast<float>(site.real(1, 1)))}));
  return true;
}

// (x, approximate)
bool gelu(Site& site) {
  const ValueId x = site.in(0);
  ValueId inner = graph::no_value;
  if (site.text(1) == "tanh") {
    const ValueId cube = site.op("Mul", {site.op("Mul", {x, x}, {}, "square"), x}, {}, "cube");
    const ValueId term = site.op("Mul", {cube, real_scalar(site, 0.044715, "cube_factor")}, {}, "term");
    const ValueId sum = site.op("Add", {x, term}, {}, "sum");
    const double factor = 0.79788456080286535588;  // sqrt(2 / pi)
    inner = site.op("Tanh", {site.op("Mul", {sum, real_scalar(site, factor, "factor")}, {}, "scaled")}, {}, "tanh");
  } else {
    const ValueId scaled = site.op("Div", {x, real_scalar(site, std::sqrt(2.0), "sqrt2")}, {}, "scaled");
    inner = site.op("Erf", {scaled}, {}, "erf");
  }
  const ValueId shifted = site.op("Add", {inner, real_scalar(site, 1, "one")}, {}, "shifted");
  site.out(site.op("Mul", {site.op("Mul", {x, shifted}, {}, "twice"), real_scalar(site, 0.5, "half")}));
  return true;
}

bool silu(Site& site) {
  const ValueId x = site.in(0);
  site.out(site.op("Mul", {x, site.op("Sigmoid", {x}, {}, "sigmoid")}));
  return true;
}

bool mish(Site& site) {
  const ValueId x = site.in(0);
  site.out(site.op("Mul", {x, site.op("Tanh", {site.op("Softplus", {x}, {}, "softplus")}, {}, "tanh")}));
  return true;
}

// (x, beta, threshold): above the threshold it is the identity, to within exp(-threshold).
bool softplus(Site& site) {
  const double beta = site.real(1, 1);
  if (site.real(2, 20) < 16) return false;
  if (beta == 1) {
    site.out(site.op("Softplus", {site.in(0)}));
    return true;
  }
  const ValueId factor = real_scalar(site, beta, "beta");
  const ValueId scaled = site.op("Mul", {site.in(0), factor}, {}, "scaled");
  site.out(site.op("Div", {site.op("Softplus", {scaled}, {}, "softplus"), factor}));
  return true;
}

bool log_sigmoid(Site& site) {
  const ValueId negative = site.op("Neg", {site.in(0)}, {}, "negative");
  site.out(site.op("Neg", {site.op("Softplus", {negative}, {}, "softplus")}));
  return true;
}

bool hardsigmoid(Site& site) {
  site.out(site.op("HardSigmoid", {site.in(0)}, {attr("alpha", 1.0f / 6), attr("beta", 0.5f)}));
  return true;
}

bool hardswish(Site& site) {
  site.out(site.op("HardSwish", {site.in(0)}));
  return true;
}

bool shrink(Site& site, bool soft) {
  const auto lambda = static_cast<float>(site.real(1, 0.5));
  site.out(site.op("Shrink", {site.in(0)}, {attr("bias", soft ? lambda : 0.0f), attr("lambd", lambda)}));
  return true;
}

bool hardshrink(Site& site) {
  return shrink(site, false);
}

bool softshrink(Site& site) {
  return shrink(site, true);
}

// (x, threshold, value)
bool threshold(Site& site) {
  const ValueId above = site.op("Greater", {site.in(0), real_scalar(site, site.real(1), "threshold")}, {}, "above");
  site.out(site.op("Where", {above, site.in(0), real_scalar(site, site.real(2), "value")}));
  return true;
}

// (x, axis): the first half times the sigmoid of the second.
bool glu(Site& site) {
  const auto halves =
      site.ops("Split", {site.in(0)}, 2, {attr("axis", site.axis(site.integer(1, -1), site.rank(0)))}, "halves");
  site.out(site.op("Mul", {halves[0], site.op("Sigmoid", {halves[1]}, {}, "sigmoid")}));
  return true;
}

// (x, axis, element type)
bool softmax(Site& site) {
  const std::string_view op = site.name().find("log") != std::string_view::npos ? "LogSoftmax" : "Softmax";
  if (site.rank(0) == 0) return false;
  site.out(site.op(op, {site.in(0, site.out_dtype())}, {attr("axis", site.axis_of(1))}));
  return true;
}

}  // namespace

void add_activation_rules(std::vector<RuleEntry>& rules) {
  for (const std::string_view op : {"dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"})
    rules.push_back({op, dropout});
  for (const std::string_view op : {"softmax", "_softmax", "log_softmax", "_log_softmax"})
    rules.push_back({op, softmax});
  rules.push_back({"relu6", relu6});
  rules.push_back({"hardtanh", hardtanh});
  rules.push_back({"leaky_relu", leaky_relu});
  rules.push_back({"rrelu", rrelu});
  rules.push_back({"prelu", prelu});
  rules.push_back({"_prelu_kernel", prelu});
  rules.push_back({"elu", elu});
  rules.push_back({"celu", celu});
  rules.push_back({"gelu", gelu});
  rules.push_back({"silu", silu});
  rules.push_back({"mish", mish});
  rules.push_back({"softplus", softplus});
  rules.push_back({"log_sigmoid", log_sigmoid});
  rules.push_back({"hardsigmoid", hardsigmoid});
  rules.push_back({"hardswish", hardswish});
  rules.push_back({"hardshrink", hardshrink});
  rules.push_back({"softshrink", softshrink});
  rules.push_back({"threshold", threshold});
  rules.push_back({"glu", glu});
}

}  // namespace coppice::tracing
