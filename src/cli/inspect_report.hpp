#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "coppice/analysis/groups.hpp"
#include "coppice/analysis/layers.hpp"
#include "coppice/analysis/locks.hpp"
#include "coppice/analysis/zero_patterns.hpp"
#include "coppice/pruning/prepare.hpp"

#include "cli/torch_services.hpp"

namespace coppice::cli {

struct InspectReport {
  std::string file;
  std::uint64_t bytes = 0;  ///< Side files included.
  pruning::Prepared prepared;
  analysis::Layers layers;
  double reach = 0;
  std::optional<std::uint64_t> activation_bytes;  ///< See analysis::peak_activation_bytes.
  std::optional<RunTime> run_time;                ///< Where --device asks for it.
  std::vector<analysis::GroupRow> groups;
  std::vector<analysis::LockRow> locks;
  std::vector<std::vector<analysis::ZeroPattern>> patterns;  ///< Of each of layers.tensors, along a layer's inputs.
};

/// Bytes of the parameters, and of those that are not zero.
struct Sizes {
  std::uint64_t dense = 0, effective = 0;
};
Sizes weight_sizes(const analysis::Layers& layers);

std::string inspect_text(const InspectReport& report, bool groups, bool locks);
nlohmann::ordered_json inspect_json(const InspectReport& report, bool groups, bool locks);

/// A declared value as "input: batch x 3 x 224 x 224 float32".
std::string declaration(const graph::Value& value);

}  // namespace coppice::cli
