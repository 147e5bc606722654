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

// Every image of the batch has a grid of its own.
void grid_sample(RuleContext& c) {
  c.set(0, 1, c.axis(0, 1));
  c.set(0, 0, c.meet(c.axis(0, 0), c.axis(1, 0)));
  c.lock_from(0, 2, Reason::fixed_axis);
  c.lock_from(1, 1, Reason::fixed_axis);
}

std::size_t scales_operand(const RuleContext& c) {
  return c.node().op == "Upsample" || c.opset() < 11 ? 1 : 2;
}

// The scale along the i-th of the resized axes, which is axis k; 0 when it is not known.
double scale_along(const RuleContext& c, std::size_t i, std::size_t k) {
  const graph::Attribute* attribute = c.node().find("scales");
  if (const auto* list = attribute ? std::get_if<std::vector<float>>(&attribute->value) : nullptr)
    return i < list->size() ? (*list)[i] : 0;
  const std::size_t operand = scales_operand(c);
  if (c.rank(operand) == 1 && c.shape(operand)[0] > 0) {
    const auto list = c.reals(operand);
    return list && i < list->size() ? (*list)[i] : 0;
  }
  if (c.node().op == "Upsample")
    return k < 2 ? 1 : static_cast<double>(c.node().float_or(k == 2 ? "height_scale" : "width_scale", 1));
  // Sizes: the same number is a scale of 1, unless one ratio for all axes is sought.
  if (c.node().string_or("keep_aspect_ratio_policy", "stretch") != "stretch") return 0;
  return c.out_shape()[k] == c.shape(0)[k] ? 1 : 0;
}

// Whether the crop, if there is one, takes all of the i-th of `count` axes.
bool uncropped(const RuleContext& c, std::size_t i, std::size_t count) {
  if (c.node().string_or("coordinate_transformation_mode", "") != "tf_crop_and_resize") return true;
  const auto region = c.has(1) ? c.reals(1) : std::nullopt;
  return region && region->size() == 2 * count && (*region)[i] == 0 && (*region)[count + i] == 1;
}

// An axis passes when every element of it stays what it is. A length that stays is not enough: floor(1.2 * 4) is 4.
void resize(RuleContext& c) {
  const std::size_t rank = c.rank(0);
  std::vector<std::size_t> resized;
  for (std::int64_t k : c.node().ints("axes")) resized.push_back(RuleContext::wrap(k, rank));
  for (std::size_t k = 0; k < rank && !c.node().has("axes"); ++k) resized.push_back(k);
  std::vector<std::uint8_t> moved(rank, 0);
  for (std::size_t i = 0; i < resized.size(); ++i)
    moved[resized[i]] = scale_along(c, i, resized[i]) != 1 || !uncropped(c, i, resized.size());
  for (std::size_t k = 0; k < rank; ++k) {
    if (moved[k])
      c.lock(0, k, Reason::fixed_axis);
    else
      c.set(0, k, c.axis(0, k));
  }
  for (std::size_t i = 1; i < c.node().inputs.size(); ++i) c.lock_from(i, 0, Reason::fixed_axis);
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
