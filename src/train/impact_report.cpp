#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/train/impact.hpp"

namespace coppice {
namespace {

using analysis::Align;
using Texts = std::vector<std::string>;

std::string shown(const char* format, double value) {
  char out[40];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

std::string milliseconds(const ImpactRow& row) {
  return shown(row.latency.median < 0.1 ? "%.3f ms" : "%.1f ms", row.latency.median * 1000);
}

std::string zeros(const ImpactRow& row) {
  return row.parameters == 0 ? "-"
                             : analysis::percent(static_cast<double>(row.zeros) / static_cast<double>(row.parameters));
}

std::string metric(const ImpactRow& row) {
  return row.metric ? shown("%.4g", *row.metric) : "";
}

std::string error_text(const ImpactRow& row) {
  return std::isfinite(row.error) ? shown("%.3g", row.error) : "-";
}

std::string bytes(std::uint64_t value) {
  return analysis::short_bytes(value);
}

std::string speed(const ImpactRow& row, const ImpactRow& original) {
  return analysis::ratio(original.latency.median, row.latency.median);
}

std::string results(const Impact& impact) {
  std::vector<analysis::Column> columns{
      {"method", Align::left, true}, {"parameters", Align::right}, {"zeros", Align::right}, {"MACs", Align::right},
      {"latency", Align::right},     {"speed", Align::right},      {"error", Align::right}};
  if (!impact.metric.empty()) columns.push_back({impact.metric, Align::right});
  analysis::Table table(std::move(columns));
  for (const ImpactRow& row : impact.rows)
    if (row.reason.empty())
      table.row({row.method, analysis::short_count(static_cast<double>(row.parameters)), zeros(row),
                 analysis::short_count(row.macs), milliseconds(row), speed(row, impact.rows.front()), error_text(row),
                 metric(row)});
  return table.text();
}

std::string files(const Impact& impact) {
  analysis::Table table({{"file", Align::left, true},
                         {"dense", Align::right},
                         {"sparse_initializer", Align::right},
                         {"bitmask", Align::right}});
  for (const ImpactRow& row : impact.rows)
    if (row.reason.empty())
      table.row({row.method, bytes(row.bytes.dense), bytes(row.bytes.sparse_initializer), bytes(row.bytes.bitmask)});
  return table.text();
}

std::string refused(const Impact& impact) {
  analysis::Table table({{"not applied", Align::left, true}, {"why", Align::left, true}});
  for (const ImpactRow& row : impact.rows)
    if (!row.reason.empty()) table.row({row.method, row.reason});
  return table.empty() ? "" : "\n" + table.text();
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? "\"\"" : std::string(1, c));
  return out + "\"";
}

// A cell of a table in Markdown.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : analysis::printable(text)) out.append(c == '|' ? "\\|" : std::string(1, c));
  return out;
}

std::string markdown_line(const Texts& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += " " + escaped(cell) + " |";
  return out + "\n";
}

}  // namespace

std::string Impact::text() const {
  return results(*this) + "\n" + files(*this) + refused(*this);
}

std::string Impact::json() const {
  nlohmann::ordered_json out{{"metric", metric.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(metric)},
                             {"rows", nlohmann::ordered_json::array()}};
  for (const ImpactRow& row : rows) {
    nlohmann::ordered_json one{{"method", row.method}};
    if (!row.reason.empty()) {
      one["reason"] = row.reason;
      out["rows"].push_back(std::move(one));
      continue;
    }
    one["parameters"] = row.parameters;
    one["zeros"] = row.zeros;
    one["macs"] = row.macs;
    one["bytes"] = {{"dense", row.bytes.dense},
                    {"sparse_initializer", row.bytes.sparse_initializer},
                    {"bitmask", row.bytes.bitmask}};
    one["median_seconds"] = row.latency.median;
    one["low_seconds"] = row.latency.low;
    one["high_seconds"] = row.latency.high;
    one["runs"] = row.latency.runs;
    one["error"] = number(row.error);
    if (row.metric) one["metric"] = number(*row.metric);
    out["rows"].push_back(std::move(one));
  }
  // Names come from files, and need not be UTF-8.
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string Impact::csv() const {
  std::string out =
      "method,parameters,zeros,macs,dense_bytes,sparse_initializer_bytes,bitmask_bytes,median_seconds,error,metric,"
      "reason\n";
  for (const ImpactRow& row : rows) {
    out += quoted(row.method);
    if (!row.reason.empty()) {
      out += ",,,,,,,,,," + quoted(row.reason) + "\n";
      continue;
    }
    for (const std::uint64_t whole :
         {static_cast<std::uint64_t>(row.parameters), static_cast<std::uint64_t>(row.zeros)})
      out += "," + std::to_string(whole);
    out += "," + shown("%.17g", row.macs);
    for (const std::uint64_t size : {row.bytes.dense, row.bytes.sparse_initializer, row.bytes.bitmask})
      out += "," + std::to_string(size);
    out += "," + shown("%.9g", row.latency.median) + "," + (std::isfinite(row.error) ? shown("%.9g", row.error) : "");
    out += "," + (row.metric ? shown("%.9g", *row.metric) : "") + ",\n";
  }
  return out;
}

std::string Impact::markdown() const {
  Texts titles{"method", "parameters", "zeros", "dense", "sparse_initializer", "bitmask", "latency", "speed", "error"};
  if (!metric.empty()) titles.push_back(metric);
  std::string out = markdown_line(titles) + "|---|";
  for (std::size_t i = 1; i < titles.size(); ++i) out += "---:|";
  out += "\n";
  for (const ImpactRow& row : rows) {
    if (!row.reason.empty()) {
      Texts cells{row.method, row.reason};
      cells.resize(titles.size());
      out += markdown_line(cells);
      continue;
    }
    Texts cells{row.method,
                analysis::short_count(static_cast<double>(row.parameters)),
                zeros(row),
                coppice::bytes(row.bytes.dense),
                coppice::bytes(row.bytes.sparse_initializer),
                coppice::bytes(row.bytes.bitmask),
                milliseconds(row),
                speed(row, rows.front()),
                error_text(row)};
    if (!metric.empty()) cells.push_back(coppice::metric(row));
    out += markdown_line(cells);
  }
  return out;
}

}  // namespace coppice
