#include "coppice/analysis/locks.hpp"

#include <algorithm>
#include <utility>

#include "coppice/base/at.hpp"

namespace coppice::analysis {
namespace {

/// Adds up, by row of units, how many elements of the parameters lie in a slice of at least one unit of that row.
class Touched {
 public:
  Touched(const pruning::Prepared& prepared, const std::vector<std::int32_t>& row_of_unit, std::size_t rows)
      : couplings_(prepared.couplings), row_of_unit_(row_of_unit), elements_(rows, 0.0) {
    const graph::Graph& graph = prepared.model.graph;
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const auto value = static_cast<graph::ValueId>(i);
      const tensor::Tensor* tensor = is_parameter(prepared.roles[i]) ? graph.constant(value) : nullptr;
      if (!tensor) continue;
      const auto elements = static_cast<double>(tensor->elements());
      total_ += elements;
      if (couplings_.ranked(value)) add(value, elements);
    }
  }

  void add_whole(std::size_t row, double elements) { elements_[row] = std::min(total_, elements_[row] + elements); }
  double share(std::size_t row) const { return total_ > 0 ? elements_[row] / total_ : 0; }

 private:
  // Elements that no unit of a row touches form a box: the product, over all factors of all axes, of the indices that
  // are not the row's.
  void add(graph::ValueId value, double elements) {
    std::map<std::int32_t, double> missed;  // By row: the share of elements outside.
    for (const coupling::Axis& axis : couplings_.axes(value)) {
      if (!axis.tracked()) continue;
      for (const coupling::Factor& factor : couplings_.factors(axis)) {
        if (factor.track == coupling::no_track || factor.length == 0) continue;
        std::map<std::int32_t, std::int64_t> indices;
        for (const std::int32_t unit : couplings_.track(factor.track)) {
          if (row_of_unit_[at(unit)] >= 0) ++indices[row_of_unit_[at(unit)]];
        }
        for (const auto& [row, count] : indices) {
          const auto length = static_cast<double>(factor.length);
          missed.emplace(row, 1.0).first->second *= (length - static_cast<double>(count)) / length;
        }
      }
    }
    for (const auto& [row, share] : missed) elements_[at(row)] += elements * (1 - share);
  }

  const coupling::Couplings& couplings_;
  const std::vector<std::int32_t>& row_of_unit_;
  std::vector<double> elements_;
  double total_ = 0;
};

// An axis of a parameter that a rule kept before it had units: the rows of a table that data looks up, say. Kernels and
// other axes that never shrink are nobody's surprise.
struct Whole {
  std::int32_t node;
  coupling::Reason reason;
  std::int64_t length;
  double elements;
};

std::vector<Whole> kept_whole(const pruning::Prepared& prepared) {
  const graph::Graph& graph = prepared.model.graph;
  const auto consumers = graph.consumers();
  std::vector<Whole> out;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const auto value = static_cast<graph::ValueId>(i);
    const tensor::Tensor* tensor = is_parameter(prepared.roles[i]) ? graph.constant(value) : nullptr;
    if (!tensor || !prepared.couplings.ranked(value) || consumers[i].empty()) continue;
    for (const coupling::Axis& axis : prepared.couplings.axes(value))
      if (!axis.tracked() && axis.born && axis.length > 1 && axis.why != coupling::Reason::fixed_axis)
        out.push_back({consumers[i].front(), axis.why, axis.length, static_cast<double>(tensor->elements())});
  }
  return out;
}

}  // namespace

std::vector<LockRow> locks(const pruning::Prepared& prepared) {
  const std::span<const coupling::Unit> units = prepared.couplings.units();
  std::map<std::pair<std::int32_t, coupling::Reason>, std::int32_t> rows;  // Ordered, so that the result is stable.
  for (const coupling::Unit& unit : units) {
    if (unit.locked) rows.emplace(std::pair(unit.node, unit.reason), 0);
  }
  const std::vector<Whole> whole = kept_whole(prepared);
  for (const Whole& axis : whole) rows.emplace(std::pair(axis.node, axis.reason), 0);
  std::vector<LockRow> out;
  const graph::Graph& graph = prepared.model.graph;
  for (auto& [key, index] : rows) {
    index = static_cast<std::int32_t>(out.size());
    const bool known = key.first >= 0 && at(key.first) < graph.nodes.size();
    out.push_back({key.second, key.first, known ? graph::describe(graph, graph.nodes[at(key.first)]) : "", 0, 0});
  }
  std::vector<std::int32_t> row_of_unit(units.size(), -1);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (!units[i].locked) continue;
    row_of_unit[i] = rows.at({units[i].node, units[i].reason});
    ++out[at(row_of_unit[i])].units;
  }
  Touched touched(prepared, row_of_unit, out.size());
  for (const Whole& axis : whole) {
    const std::int32_t row = rows.at({axis.node, axis.reason});
    out[at(row)].units += axis.length;
    touched.add_whole(at(row), axis.elements);
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].share = touched.share(i);
  std::stable_sort(out.begin(), out.end(), [](const LockRow& a, const LockRow& b) { return a.share > b.share; });
  return out;
}

std::map<std::string, std::int64_t> locked_units(const coupling::Couplings& couplings) {
  std::map<std::string, std::int64_t> out;
  for (const coupling::Unit& unit : couplings.units()) {
    if (unit.locked) ++out[std::string(name(unit.reason))];
  }
  return out;
}

double share_of(const pruning::Prepared& prepared, const std::vector<std::uint8_t>& chosen) {
  std::vector<std::int32_t> row_of_unit(chosen.size(), -1);
  for (std::size_t i = 0; i < chosen.size(); ++i) row_of_unit[i] = chosen[i] ? 0 : -1;
  return Touched(prepared, row_of_unit, 1).share(0);
}

}  // namespace coppice::analysis
