#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "coppice/analysis/zero_patterns.hpp"
#include "coppice/formats/safetensors_set.hpp"

namespace coppice::cli {

/// One tensor of a checkpoint.
struct CheckpointRow {
  const formats::SafetensorsEntry* entry = nullptr;
  std::size_t shard = 0;
  bool counted = false;  ///< Not for types that nothing is known of but their size.
  tensor::ZeroStructure zeros;
  std::vector<analysis::ZeroPattern> patterns;
};

struct CheckpointReport {
  const formats::SafetensorsSet* set = nullptr;
  std::vector<CheckpointRow> rows;  ///< Those asked for, in the order of the shards and of their bytes.
  std::size_t tensors = 0;          ///< All there are.
};

std::string checkpoint_text(const CheckpointReport& report);
nlohmann::ordered_json checkpoint_json(const CheckpointReport& report);

}  // namespace coppice::cli
