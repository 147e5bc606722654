#include "coppice/analysis/sensitivity.hpp"

#include <algorithm>
#include <cstdio>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"

namespace coppice::analysis {
namespace {

constexpr std::size_t most_columns = 6;

std::string formatted(const char* format, double number) {
  char text[48];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

}  // namespace

bool SensitivityRow::measured() const {
  return std::any_of(points.begin(), points.end(),
                     [](const SensitivityPoint& point) { return point.value.has_value(); });
}

double Sensitivity::drop(const SensitivityRow& row) const {
  double sum = 0, count = 0;
  for (const SensitivityPoint& point : row.points) {
    if (!point.value) continue;
    sum += higher_is_better ? baseline - *point.value : *point.value - baseline;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

std::string Sensitivity::text(std::size_t width) const {
  std::string out = metric + " " + formatted("%.4f", baseline) + " on " + with_separators(samples) +
                    (samples == 1 ? " sample" : " samples") + "; what it changes by when a share of one group goes\n";
  for (std::size_t first = 0; first < ratios.size(); first += most_columns) {
    const std::size_t last = std::min(first + most_columns, ratios.size());
    std::vector<Column> columns{{"group", Align::left, true}, {"units", Align::right}};
    for (std::size_t i = first; i < last; ++i) columns.push_back({formatted("%.4g %%", 100 * ratios[i]), Align::right});
    Table table(std::move(columns));
    for (const SensitivityRow& row : rows) {
      if (!row.measured()) continue;
      std::vector<std::string> texts{joined(row.layers), with_separators(row.units)};
      for (std::size_t i = first; i < last; ++i) {
        const bool found = i < row.points.size() && row.points[i].value;
        texts.push_back(found ? formatted("%+.4f", *row.points[i].value - baseline) : "-");
      }
      table.row(std::move(texts));
    }
    if (!table.empty()) out += "\n" + table.text(width);
  }
  Table missing({{"could not be cut", Align::left, true}, {"because", Align::left, true}});
  for (const SensitivityRow& row : rows)
    if (!row.reason.empty()) missing.row({joined(row.layers), row.reason});
  if (!missing.empty()) out += "\n" + missing.text(width);
  return out;
}

}  // namespace coppice::analysis
