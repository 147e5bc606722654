#include "coppice/analysis/table.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "coppice/analysis/text.hpp"

namespace coppice::analysis {
namespace {

constexpr std::size_t gap = 2, narrowest = 8;

std::string line(std::span<const Column> columns, std::span<const std::size_t> widths,
                 const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string text = shorten(texts[i], widths[i]);
    const std::string padding(widths[i] - width(text), ' ');
    if (i > 0) out.append(gap, ' ');
    out += columns[i].align == Align::left ? text + padding : padding + text;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + '\n';
}

}  // namespace

void Table::row(std::vector<std::string> texts) {
  texts.resize(columns_.size());
  for (std::string& text : texts) text = printable(text);
  rows_.push_back(std::move(texts));
}

std::vector<std::size_t> Table::fit(std::size_t limit) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width(column.title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::size_t total = std::accumulate(widths.begin(), widths.end(), gap * (columns_.size() - 1));
  // The widest shrinking column gives way, one column at a time.
  while (total > limit) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool able = columns_[i].shrinks && widths[i] > std::max(narrowest, width(columns_[i].title));
      if (able && (widest == columns_.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

std::string Table::text(std::size_t limit) const {
  if (columns_.empty()) return {};
  const std::vector<std::size_t> widths = fit(limit);
  const std::size_t total = std::accumulate(widths.begin(), widths.end(), gap * (columns_.size() - 1));
  std::string out;
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  const bool titled =
      std::any_of(titles.begin(), titles.end(), [](const std::string& title) { return !title.empty(); });
  const std::string rule = std::string(total, '-') + '\n';
  if (titled) out += line(columns_, widths, titles) + rule;
  for (const auto& row : rows_) out += row.empty() ? rule : line(columns_, widths, row);
  return out;
}

}  // namespace coppice::analysis
