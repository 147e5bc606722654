#pragma once
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "coppice/pruning/prune.hpp"

#include "cli/prune_arguments.hpp"

namespace coppice::cli {

/// What a run of `coppice prune` came to.
struct PruneOutcome {
  pruning::PruneReport report;                      ///< With the seconds of reading and writing added.
  std::map<std::string, std::int64_t> locks;        ///< Locked units by reason.
  std::string extents;                              ///< For which MACs were counted, where inputs have dynamic ones.
  std::string proof;                                ///< What --verify found, in a line; empty without it.
  std::uint64_t bytes_before = 0, bytes_after = 0;  ///< Of the files; after a dry run, what it would about be.
};

std::string prune_text(const PruneArguments& arguments, const PruneOutcome& outcome);
nlohmann::ordered_json prune_json(const PruneArguments& arguments, const PruneOutcome& outcome);

}  // namespace coppice::cli
