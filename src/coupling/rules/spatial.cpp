#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

// Axes 0 and 1 pass, the others are space.
void pool(RuleContext& c) {
  c.set(0, 0, c.axis(0, 0));
  c.set(0, 1, c.axis(0, 1));
  c.lock_from(0, 2, Reason::fixed_axis);
  // The indices of MaxPool count through the channels.
  if (c.has_output(1)) c.lock_all(Reason::ordered_axis);
}

// Regions are gathered from space; the channels pass.
void regions(RuleContext& c) {
  c.set(0, 1, c.axis(0, 1));
  c.lock(c.axis(0, 0), Reason::indexed_by_data);
  for (std::size_t i = 0; i < c.node().inputs.size(); ++i) c.lock_from(i, i == 0 ? 2 : 0, Reason::fixed_axis);
}

void grid_sample(RuleContext& c) {
  c.set(0, 1, c.axis(0, 1));
  c.set(0, 0, c.axis(0, 0));
  c.lock_from(0, 2, Reason::fixed_axis);
  c.lock_from(1, 0, Reason::fixed_axis);
}

// Axes that keep their length pass (a scale of 1), the others are space.
void resize(RuleContext& c) {
  for (std::size_t k = 0; k < c.rank(0); ++k) {
    if (c.shape(0)[k] == c.out_shape()[k])
      c.set(0, k, c.axis(0, k));
    else
      c.lock(0, k, Reason::fixed_axis);
  }
}

}  // namespace

void add_spatial_rules(std::vector<RuleEntry>& rules) {
  for (std::string_view op : {"MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    rules.push_back({"", op, pool});
  for (std::string_view op : {"RoiAlign", "MaxRoiPool"}) rules.push_back({"", op, regions});
  rules.push_back({"", "GridSample", grid_sample});
  rules.push_back({"", "Resize", resize});
  rules.push_back({"", "Upsample", resize});
}

}  // namespace coppice::coupling
