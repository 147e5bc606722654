#include "cli/inspect_checkpoint.hpp"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"

#include "cli/checkpoint_report.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "pruning/layer_names.hpp"

namespace coppice::cli {
namespace {

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
           return pruning::match_prefix(pattern, name).has_value();
         });
}

void count(CheckpointRow& row, const formats::SafetensorsFile& file, std::size_t entry) {
  row.counted = row.entry->dtype != tensor::DType::undefined;
  if (!row.counted) return;
  const tensor::Tensor tensor = file.tensor(entry);
  const std::int64_t elements = row.entry->elements();
  row.zeros = zero_structure(tensor);
  row.patterns = analysis::zero_patterns(row.zeros.most, row.zeros.zeros, elements);
  // Of a convolution the second axis is that of the inputs.
  if (row.patterns.empty() && row.zeros.zeros > 0 && row.entry->shape.size() > 2)
    row.patterns = analysis::zero_patterns(zero_groups(tensor, 1), row.zeros.zeros, elements);
}

}  // namespace

bool is_checkpoint(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) || path.ends_with(".safetensors") || path.ends_with(".json") ||
         formats::is_safetensors(path);
}

void inspect_checkpoint(const std::string& path, const std::vector<std::string>& patterns, bool json) {
  const formats::SafetensorsSet set(path);
  CheckpointReport report{&set, {}, 0};
  std::uint64_t bytes = 0, done = 0;
  std::vector<std::size_t> places;
  for (std::size_t shard = 0; shard < set.shards().size(); ++shard) {
    const auto& entries = set.shards()[shard].entries();
    report.tensors += entries.size();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!matches(patterns, entries[i].name)) continue;
      report.rows.push_back({.entry = &entries[i], .shard = shard});
      places.push_back(i);
      bytes += entries[i].bytes();
    }
  }
  if (report.rows.empty() && !patterns.empty())
    throw Error(set.path() + ": none of the " + std::to_string(report.tensors) + " tensors matches \"" +
                patterns.front() + "\"" + (patterns.size() > 1 ? " or the other patterns" : ""));
  Bar bar;
  bar.begin("read", bytes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    CheckpointRow& row = report.rows[i];
    count(row, set.shards()[row.shard], places[i]);
    bar.advance(done += row.entry->bytes());
  }
  bar.end();
  if (json) {
    print_json(checkpoint_json(report));
  } else {
    print(checkpoint_text(report));
  }
}

}  // namespace coppice::cli
