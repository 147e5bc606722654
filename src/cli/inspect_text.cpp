#include <cstdio>
#include <map>
#include <string_view>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"

#include "cli/inspect_report.hpp"

namespace coppice::cli {
namespace {

using analysis::Align;
using analysis::percent;
using analysis::with_separators;

std::string milliseconds(double seconds) {
  char out[32];
  std::snprintf(out, sizeof out, seconds < 0.1 ? "%.3f" : "%.1f", seconds * 1000);
  return out;
}

std::string run_time(const RunTime& time) {
  return milliseconds(time.median) + " ms (" + milliseconds(time.low) + " to " + milliseconds(time.high) + ")";
}

std::string head(const InspectReport& report) {
  const graph::Model& model = report.prepared.model;
  analysis::Table table({{""}, {"", Align::left, true}});
  table.row({"opset", std::to_string(model.opset())});
  for (const graph::OpsetImport& import : model.opsets) {
    if (!import.domain.empty()) table.row({"", import.domain + " " + std::to_string(import.version)});
  }
  if (!model.producer_name.empty()) table.row({"producer", model.producer_name + " " + model.producer_version});
  for (const graph::ValueId id : model.graph.inputs) {
    const graph::Value& value = model.graph.values[static_cast<std::size_t>(id)];
    if (value.initializer < 0) table.row({"input", declaration(value)});
  }
  for (const graph::ValueId id : model.graph.outputs)
    table.row({"output", declaration(model.graph.values[static_cast<std::size_t>(id)])});
  table.row({"weights", std::string(tensor::name(main_dtype(report.layers)))});
  table.row({"parameters", with_separators(report.layers.parameters)});
  if (report.layers.in_control_flow > 0)
    table.row({"", with_separators(report.layers.in_control_flow) + " more in control flow that depends on data"});
  const std::string extents = analysis::counted_extents(report.prepared);
  const std::int64_t taken = report.layers.data_extent;
  table.row({"MACs", analysis::short_count(report.layers.macs) + (extents.empty() ? "" : " (" + extents + ")") +
                         (taken == 0 ? "" : ", with " + std::to_string(taken) + " for what depends on data")});
  table.row({"file size", analysis::short_bytes(report.bytes)});
  if (const Sizes sizes = weight_sizes(report.layers); sizes.effective < sizes.dense / 100 * 99)
    table.row({"without zeros", analysis::short_bytes(sizes.effective) + " of " + analysis::short_bytes(sizes.dense) +
                                    " of weights, were zeros left out"});
  if (report.activation_bytes)
    table.row({"activations", analysis::short_bytes(*report.activation_bytes) + " at once, at most"});
  if (report.run_time) table.row({"one run", run_time(*report.run_time)});
  table.row({"in reach", percent(report.reach) + " of the parameters, in " + std::to_string(report.groups.size()) +
                             (report.groups.size() == 1 ? " group" : " groups")});
  return table.text();
}

std::string layer_table(const analysis::Layers& layers) {
  analysis::Table table({{"layer", Align::left, true},
                         {"operator", Align::left, true},
                         {"output"},
                         {"parameters", Align::right},
                         {"MACs", Align::right},
                         {"zeros", Align::right}});
  std::size_t others = 0;
  for (const analysis::LayerRow& row : layers.rows) {
    if (row.parameters == 0 && row.macs == 0) {
      ++others;
      continue;
    }
    table.row({row.name, row.op, shape_text(row), row.parameters == 0 ? "" : with_separators(row.parameters),
               row.macs == 0 ? "" : analysis::short_count(row.macs),
               row.zeros == 0 ? "" : percent(static_cast<double>(row.zeros) / static_cast<double>(row.parameters))});
  }
  table.rule();
  table.row({"sum", "", "", with_separators(layers.parameters), analysis::short_count(layers.macs)});
  return table.text() +
         (others == 0 ? ""
                      : std::to_string(others) + (others == 1 ? " node" : " nodes") + " without parameters and MACs\n");
}

/// Only tensors with a zero in them.
std::string zero_table(const InspectReport& report) {
  analysis::Table table({{"tensor with zeros", Align::left, true},
                         {"shape"},
                         {"elements", Align::right},
                         {"zeros", Align::right},
                         {"share", Align::right},
                         {"pattern"}});
  for (std::size_t i = 0; i < report.layers.tensors.size(); ++i) {
    const analysis::TensorRow& row = report.layers.tensors[i];
    if (row.zeros <= 0) continue;
    table.row({row.name, tensor::to_string(row.shape), with_separators(row.elements), with_separators(row.zeros),
               percent(static_cast<double>(row.zeros) / static_cast<double>(row.elements)),
               row.zeros == row.elements ? "all" : analysis::to_string(report.patterns[i])});
  }
  return table.empty() ? "" : '\n' + table.text();
}

std::string group_list(const std::vector<analysis::GroupRow>& groups) {
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const analysis::GroupRow& group = groups[i];
    out += "\ngroup " + std::to_string(i + 1) + ": " + with_separators(group.units) + " units" +
           (group.locked == 0 ? "" : ", " + with_separators(group.locked) + " more locked") + "\n";
    analysis::Table table({{""}, {"", Align::left, true}, {"", Align::right}});
    for (const analysis::Member& member : group.members)
      table.row({"", member.parameter + "[" + std::to_string(member.axis) + "]", with_separators(member.length)});
    out += table.text();
  }
  return out;
}

std::string lock_table(const std::vector<analysis::LockRow>& locks) {
  if (locks.empty()) return "\nnothing is locked\n";
  analysis::Table table(
      {{"locked at", Align::left, true}, {"reason"}, {"units", Align::right}, {"parameters", Align::right}});
  struct Rest {
    std::int64_t nodes = 0, units = 0;
  };
  std::map<std::string_view, Rest> rest;  // What touches no parameter, such as the positions within a head.
  std::map<std::string_view, std::string_view> reasons;
  for (const analysis::LockRow& row : locks) {
    reasons[name(row.reason)] = explain(row.reason);
    if (row.share > 0) {
      table.row({row.where.empty() ? "-" : row.where, std::string(name(row.reason)), with_separators(row.units),
                 percent(row.share)});
    } else {
      rest[name(row.reason)].nodes += 1;
      rest[name(row.reason)].units += row.units;
    }
  }
  for (const auto& [reason, sum] : rest) {
    table.row({with_separators(sum.nodes) + (sum.nodes == 1 ? " node" : " nodes") + ", on no parameter",
               std::string(reason), with_separators(sum.units)});
  }
  std::string out = '\n' + table.text() + '\n';
  for (const auto& [reason, text] : reasons) out.append(reason).append(": ").append(text).append("\n");
  return out;
}

}  // namespace

std::string declaration(const graph::Value& value) {
  std::string out = value.name + ":";
  if (!value.shape) {
    out += " any shape";
  } else if (value.shape->empty()) {
    out += " scalar";
  }
  bool first = true;
  for (const graph::Dim& dim : value.shape.value_or(std::vector<graph::Dim>())) {
    out += first ? " " : " x ";
    out += dim.size >= 0 ? std::to_string(dim.size) : dim.param.empty() ? "?" : dim.param;
    first = false;
  }
  if (value.dtype != tensor::DType::undefined) out.append(" ").append(tensor::name(value.dtype));
  return out;
}

std::string inspect_text(const InspectReport& report, bool groups, bool locks) {
  std::string out =
      analysis::printable(report.file) + "\n" + head(report) + '\n' + layer_table(report.layers) + zero_table(report);
  if (groups) out += group_list(report.groups);
  if (locks) out += lock_table(report.locks);
  return out;
}

}  // namespace coppice::cli
