#include <algorithm>

#include <nlohmann/json.hpp>

#include "coppice/base/rounded.hpp"

#include "cli/inspect_report.hpp"

namespace coppice::cli {
namespace {

using Json = nlohmann::ordered_json;

Json declared(const graph::Graph& graph, const std::vector<graph::ValueId>& values) {
  Json out = Json::array();
  for (const graph::ValueId id : values) {
    const graph::Value& value = graph.values[static_cast<std::size_t>(id)];
    if (value.is_input && value.initializer >= 0) continue;
    Json shape = nullptr;
    if (value.shape) {
      shape = Json::array();
      for (const graph::Dim& dim : *value.shape) {
        if (dim.size >= 0) {
          shape.push_back(dim.size);
        } else {
          shape.push_back(dim.param.empty() ? Json(nullptr) : Json(dim.param));
        }
      }
    }
    out.push_back({{"name", value.name}, {"dtype", tensor::name(value.dtype)}, {"shape", shape}});
  }
  return out;
}

Json layer_list(const analysis::Layers& layers) {
  Json out = Json::array();
  for (const analysis::LayerRow& row : layers.rows) {
    Json shape = nullptr;
    if (row.ranked) {
      shape = Json::array();
      for (const std::int64_t extent : row.shape) shape.push_back(extent < 0 ? Json(nullptr) : Json(extent));
    }
    out.push_back({{"name", row.name},
                   {"op", row.op},
                   {"shape", shape},
                   {"params", row.parameters},
                   {"macs", base::rounded(row.macs)},
                   {"dtype", tensor::name(row.dtype)},
                   {"zeros", row.zeros}});
  }
  return out;
}

Json tensor_list(const InspectReport& report) {
  Json out = Json::array();
  for (std::size_t i = 0; i < report.layers.tensors.size(); ++i) {
    const analysis::TensorRow& row = report.layers.tensors[i];
    Json patterns = Json::array();
    for (const analysis::ZeroPattern& pattern : report.patterns[i]) patterns.push_back(to_string(pattern));
    Json layer = nullptr;
    if (row.layer >= 0) layer = report.layers.rows[static_cast<std::size_t>(row.layer)].name;
    out.push_back({{"name", row.name},
                   {"shape", row.shape},
                   {"dtype", tensor::name(row.dtype)},
                   {"elements", row.elements},
                   {"zeros", row.zeros < 0 ? Json(nullptr) : Json(row.zeros)},
                   {"patterns", patterns},
                   {"layer", layer}});
  }
  return out;
}

Json group_list(const std::vector<analysis::GroupRow>& groups) {
  Json out = Json::array();
  for (const analysis::GroupRow& group : groups) {
    Json members = Json::array();
    for (const analysis::Member& member : group.members)
      members.push_back({{"parameter", member.parameter}, {"axis", member.axis}, {"length", member.length}});
    out.push_back({{"units", group.units}, {"locked", group.locked}, {"members", members}});
  }
  return out;
}

Json lock_list(const InspectReport& report) {
  const graph::Graph& graph = report.prepared.model.graph;
  Json out = Json::array();
  for (const analysis::LockRow& row : report.locks) {
    Json node = nullptr, op = nullptr;
    if (row.node >= 0) {
      const graph::Node& found = graph.nodes[static_cast<std::size_t>(row.node)];
      node = found.name.empty() ? std::string(graph.name_of(found.output(0))) : found.name;
      op = found.op;
    }
    out.push_back({{"reason", name(row.reason)},
                   {"explanation", explain(row.reason)},
                   {"node", node},
                   {"op", op},
                   {"units", row.units},
                   {"share", row.share}});
  }
  return out;
}

}  // namespace

Sizes weight_sizes(const analysis::Layers& layers) {
  Sizes out;
  for (const analysis::TensorRow& row : layers.tensors) {
    out.dense += tensor::byte_size(row.dtype, row.elements);
    out.effective += tensor::byte_size(row.dtype, row.elements - std::max<std::int64_t>(row.zeros, 0));
  }
  return out;
}

nlohmann::ordered_json inspect_json(const InspectReport& report, bool groups, bool locks) {
  const graph::Model& model = report.prepared.model;
  Json opsets = Json::object();
  for (const graph::OpsetImport& import : model.opsets)
    opsets[import.domain.empty() ? "ai.onnx" : import.domain] = import.version;
  Json out{{"file", report.file},
           {"opset", model.opset()},
           {"opsets", opsets},
           {"ir_version", model.ir_version},
           {"producer", model.producer_name},
           {"dtype", tensor::name(main_dtype(report.layers))},
           {"inputs", declared(model.graph, model.graph.inputs)},
           {"outputs", declared(model.graph, model.graph.outputs)},
           {"params", report.layers.parameters},
           {"control_flow_params", report.layers.in_control_flow},
           {"macs", base::rounded(report.layers.macs)},
           {"bytes", report.bytes},
           {"weight_bytes", weight_sizes(report.layers).dense},
           {"nonzero_weight_bytes", weight_sizes(report.layers).effective},
           {"activation_bytes", report.activation_bytes ? Json(*report.activation_bytes) : Json(nullptr)},
           {"reach", report.reach},
           {"group_count", report.groups.size()},
           {"locked_units", analysis::locked_units(report.prepared.couplings)},
           {"layers", layer_list(report.layers)},
           {"tensors", tensor_list(report)}};
  if (report.run_time)
    out["run_seconds"] = {
        {"median", report.run_time->median}, {"low", report.run_time->low}, {"high", report.run_time->high}};
  if (groups) out["groups"] = group_list(report.groups);
  if (locks) out["locks"] = lock_list(report);
  return out;
}

}  // namespace coppice::cli
