#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::analysis {

/// A model without a share of the units of one group.
struct SensitivityPoint {
  double ratio = 0;             ///< As asked.
  std::int64_t removed = 0;     ///< Units that went.
  std::optional<double> value;  ///< Of the metric; none where the ratio takes no unit, or where the cut failed.
  std::int64_t parameters = 0;  ///< Left in the model.
  double macs = 0;              ///< The same.
};

/// Coupling groups that one ratio is for. Those that share a layer are one row, as a layer's name stands for all of its
/// outputs.
struct SensitivityRow {
  std::vector<std::string> layers;       ///< Whose outputs these units are, as SelectOptions::layers takes their names.
  std::int64_t units = 0;                ///< That may be cut.
  std::vector<SensitivityPoint> points;  ///< By ratio; empty when nothing could be cut.
  std::string reason;                    ///< Why something could not be cut; empty: everything was.

  bool measured() const;  ///< Whether any point has a value.
};

/// What a model loses when one group at a time is cut: how much each of its layers can be trusted to do without.
struct Sensitivity {
  std::string metric;
  bool higher_is_better = true;
  double baseline = 0;  ///< The metric of the whole model.
  std::int64_t samples = 0;
  std::vector<double> ratios;
  std::vector<SensitivityRow> rows;  ///< In the order of the model's layers.

  /// How much worse than the baseline a row's cuts were, on average over its points with a value. Positive is worse.
  double drop(const SensitivityRow& row) const;
  /// Differences to the baseline by row and ratio, then what could not be cut and why; lines of `width` columns.
  std::string text(std::size_t width = 80) const;
  std::string json() const;
  /// Throws Error that says what is wrong on anything but what json() writes.
  static Sensitivity parse(std::string_view json);
};

}  // namespace coppice::analysis
