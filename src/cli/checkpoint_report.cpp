#include "cli/checkpoint_report.hpp"

#include <map>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"

namespace coppice::cli {
namespace {

using analysis::Align;
using analysis::with_separators;
using Json = nlohmann::ordered_json;

struct Sums {
  std::int64_t elements = 0, zeros = 0;
  std::uint64_t bytes = 0, filled = 0;  ///< Of all elements, and of those that are not zero.
  std::map<std::string, std::int64_t> types;
};

Sums sums_of(const std::vector<CheckpointRow>& rows) {
  Sums out;
  for (const CheckpointRow& row : rows) {
    const std::int64_t elements = row.entry->elements();
    out.elements += elements;
    out.zeros += row.zeros.zeros;
    out.bytes += row.entry->bytes();
    out.filled += row.counted ? tensor::byte_size(row.entry->dtype, elements - row.zeros.zeros) : row.entry->bytes();
    out.types[row.entry->type] += elements;
  }
  return out;
}

std::string percent(std::int64_t zeros, std::int64_t elements) {
  return zeros == 0 ? "" : analysis::percent(static_cast<double>(zeros) / static_cast<double>(elements));
}

std::string pattern_text(const CheckpointRow& row) {
  return row.zeros.zeros == row.entry->elements() ? "all" : analysis::to_string(row.patterns);
}

std::string number(std::optional<std::int64_t> count) {
  return count.value_or(0) == 0 ? "" : with_separators(*count);
}

std::string tensor_table(const std::vector<CheckpointRow>& rows, const Sums& sums) {
  analysis::Table table(
      {{"tensor", Align::left, true}, {"type"}, {"shape"}, {"parameters", Align::right}, {"zeros", Align::right}});
  for (const CheckpointRow& row : rows) {
    const std::int64_t elements = row.entry->elements();
    table.row({row.entry->name, row.entry->type, tensor::to_string(row.entry->shape), with_separators(elements),
               row.counted ? percent(row.zeros.zeros, elements) : "?"});
  }
  table.rule();
  table.row({"sum", "", "", with_separators(sums.elements), percent(sums.zeros, sums.elements)});
  return table.text();
}

/// Only tensors with a zero in them.
std::string zero_table(const std::vector<CheckpointRow>& rows) {
  analysis::Table table({{"tensor with zeros", Align::left, true},
                         {"zeros", Align::right},
                         {"share", Align::right},
                         {"pattern"},
                         {"rows", Align::right},
                         {"columns", Align::right}});
  for (const CheckpointRow& row : rows) {
    if (row.zeros.zeros == 0) continue;
    table.row({row.entry->name, with_separators(row.zeros.zeros), percent(row.zeros.zeros, row.entry->elements()),
               pattern_text(row), number(row.zeros.zero_rows), number(row.zeros.zero_columns)});
  }
  return table.empty() ? "" : '\n' + table.text();
}

std::string head(const CheckpointReport& report, const Sums& sums) {
  const formats::SafetensorsSet& set = *report.set;
  analysis::Table table({{""}, {"", Align::left, true}});
  // Of several shards the first speaks for all.
  for (const auto& [key, text] : set.shards().front().layout().metadata.value_or(formats::SafetensorsMetadata()))
    table.row({"metadata", key + ": " + text});
  if (set.sharded()) table.row({"shards", std::to_string(set.shards().size())});
  std::string types;
  for (const auto& [type, elements] : sums.types) types += (types.empty() ? "" : ", ") + type;
  const std::string count = with_separators(static_cast<std::int64_t>(report.rows.size()));
  table.row({"tensors", report.rows.size() == report.tensors
                            ? count
                            : count + " of " + with_separators(static_cast<std::int64_t>(report.tensors))});
  table.row({"types", types});
  table.row({"parameters", with_separators(sums.elements)});
  table.row({"zeros",
             with_separators(sums.zeros) + (sums.zeros == 0 ? "" : " (" + percent(sums.zeros, sums.elements) + ")")});
  table.row({"file size", analysis::short_bytes(set.file_bytes())});
  if (sums.filled < sums.bytes / 100 * 99)
    table.row({"without zeros", analysis::short_bytes(sums.filled) + " of " + analysis::short_bytes(sums.bytes) +
                                    " of weights, were zeros left out"});
  return table.text();
}

}  // namespace

std::string checkpoint_text(const CheckpointReport& report) {
  const Sums sums = sums_of(report.rows);
  return analysis::printable(report.set->path()) + "\n" + head(report, sums) + '\n' + tensor_table(report.rows, sums) +
         zero_table(report.rows);
}

Json checkpoint_json(const CheckpointReport& report) {
  const formats::SafetensorsSet& set = *report.set;
  const Sums sums = sums_of(report.rows);
  Json shards = Json::array(), tensors = Json::array();
  for (std::size_t i = 0; i < set.shards().size(); ++i) {
    const formats::SafetensorsLayout& layout = set.shards()[i].layout();
    Json metadata = Json::object();
    for (const auto& [key, text] : layout.metadata.value_or(formats::SafetensorsMetadata())) metadata[key] = text;
    shards.push_back({{"file", set.names()[i]},
                      {"bytes", layout.file_bytes()},
                      {"tensors", layout.entries.size()},
                      {"metadata", metadata}});
  }
  for (const CheckpointRow& row : report.rows) {
    const auto optional = [](const auto& number) { return number ? Json(*number) : Json(nullptr); };
    Json patterns = Json::array();
    for (const analysis::ZeroPattern& pattern : row.patterns) patterns.push_back(to_string(pattern));
    tensors.push_back({{"name", row.entry->name},
                       {"file", set.names()[row.shard]},
                       {"dtype", row.entry->type},
                       {"shape", row.entry->shape},
                       {"elements", row.entry->elements()},
                       {"bytes", row.entry->bytes()},
                       {"zeros", row.counted ? Json(row.zeros.zeros) : Json(nullptr)},
                       {"patterns", patterns},
                       {"zero_rows", optional(row.zeros.zero_rows)},
                       {"zero_columns", optional(row.zeros.zero_columns)}});
  }
  return {{"file", set.path()},         {"format", "safetensors"},
          {"shards", shards},           {"params", sums.elements},
          {"zeros", sums.zeros},        {"bytes", set.file_bytes()},
          {"weight_bytes", sums.bytes}, {"nonzero_weight_bytes", sums.filled},
          {"tensors", tensors}};
}

}  // namespace coppice::cli
