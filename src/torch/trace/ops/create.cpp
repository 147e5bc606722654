#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

bool filled_with(Site& site, std::optional<double> value) {
  if (!value || at::isComplexType(site.out_dtype())) return false;
  site.out_splat(*value);
  return true;
}

bool zeros(Site& site) {
  return filled_with(site, 0);
}

bool ones(Site& site) {
  return filled_with(site, 1);
}

// (extents, value) or (like, value)
bool full(Site& site) {
  return filled_with(site, site.splat(1));
}

// (like, extents, value)
bool new_full(Site& site) {
  return filled_with(site, site.splat(2));
}

bool scalar_tensor(Site& site) {
  return filled_with(site, site.splat(0));
}

// (x, value): a number, or a tensor of one.
bool fill(Site& site) {
  if (site.splat(1)) return filled_with(site, site.splat(1));
  const ValueId value = site.in(1, site.out_dtype());
  site.out(site.op("Expand", {value, site.constant(site.out_shape(), "shape")}));
  return true;
}

// (x, source): the source in the shape and type of x.
bool copy(Site& site) {
  ValueId source = site.in(1, site.out_dtype());
  if (site.shape(1) != site.out_shape()) source = site.op("Expand", {source, site.constant(site.out_shape(), "shape")});
  site.out(source);
  return true;
}

// (end), (start, end) or (start, end, step), and four options of tensors.
bool arange(Site& site) {
  constexpr std::size_t options = 4;
  if (site.count() <= options || site.count() > options + 3) return false;
  const std::size_t numbers = site.count() - options;
  const double start = numbers == 1 ? 0 : site.real(0), end = site.real(numbers == 1 ? 0 : 1);
  const double step = numbers == 3 ? site.real(2) : 1;
  site.out(site.table(at::arange(start, end, step, at::TensorOptions(at::kDouble)).to(site.out_dtype()), "table"));
  return true;
}

// (start, end, steps)
bool linspace(Site& site) {
  if (site.is_tensor(0) || site.is_tensor(1)) return false;
  site.out(site.table(at::linspace(site.real(0), site.real(1), site.integer(2), at::TensorOptions(site.out_dtype())),
                      "table"));
  return true;
}

bool eye(Site& site) {
  const Ints shape = site.out_shape();
  site.out(site.table(at::eye(shape[0], shape[1], at::TensorOptions(site.out_dtype())), "table"));
  return true;
}

}  // namespace

void add_create_rules(std::vector<RuleEntry>& rules) {
  // What is in an empty tensor is nobody's business.
  for (const std::string_view op : {"zeros", "zeros_like", "new_zeros", "zero", "empty", "empty_like", "new_empty"})
    rules.push_back({op, zeros});
  for (const std::string_view op : {"ones", "ones_like", "new_ones"}) rules.push_back({op, ones});
  for (const std::string_view op : {"full", "full_like"}) rules.push_back({op, full});
  rules.push_back({"new_full", new_full});
  rules.push_back({"scalar_tensor", scalar_tensor});
  rules.push_back({"fill", fill});
  rules.push_back({"copy", copy});
  rules.push_back({"arange", arange});
  rules.push_back({"linspace", linspace});
  rules.push_back({"eye", eye});
}

}  // namespace coppice::tracing
