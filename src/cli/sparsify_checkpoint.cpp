#include "cli/sparsify_checkpoint.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors_set.hpp"
#include "coppice/sparsity/streamed.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"

namespace coppice::cli {
namespace {

using formats::SafetensorsFile;
using formats::SafetensorsSet;

std::vector<sparsity::NamedWeight> weights_of(const SafetensorsSet& set) {
  std::vector<sparsity::NamedWeight> out;
  for (const SafetensorsFile& shard : set.shards()) {
    for (std::size_t i = 0; i < shard.entries().size(); ++i) out.push_back({shard.entries()[i].name, shard.tensor(i)});
  }
  return out;
}

template <class Action>
auto naming(const SafetensorsSet& set, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    throw Error(set.path() + ": " + error.what());
  }
}

}  // namespace

void check_checkpoint_options(const SparsifyArguments& arguments) {
  if (looks_at_data(arguments))
    throw UsageError("--criterion " + arguments.criterion +
                     ": expected an ONNX file; a checkpoint has no graph to run");
  if (arguments.encoding != formats::Encoding::dense)
    throw UsageError("--encoding " + arguments.encoding_name +
                     ": expected an ONNX file, found a checkpoint, which coppice pack makes smaller");
  for (const auto& [value, option] : {std::pair(&arguments.masks, "--masks"), {&arguments.masks_out, "--masks-out"}})
    if (!value->empty()) throw UsageError(std::string(option) + ": expected an ONNX file, found a checkpoint");
}

SparsifyOutcome sparsify_checkpoint(const SparsifyArguments& arguments) {
  const SafetensorsSet set(arguments.model);
  std::optional<formats::StagedSafetensors> staged;
  if (!arguments.dry_run) {
    if (!set.sharded()) check_target(arguments.out);
    staged.emplace(set, arguments.out);
  }
  SparsifyOutcome outcome;
  outcome.bytes_before = outcome.bytes_after = set.file_bytes();
  Bar bar;
  bar.begin("choose", 0);
  const sparsity::StreamedSparsifier sparsifier =
      naming(set, [&] { return sparsity::StreamedSparsifier(weights_of(set), arguments.options); });
  outcome.left = sparsifier.left();
  bar.end();

  std::size_t weight = 0, largest = 0;
  for (const SafetensorsFile& shard : set.shards())
    for (const auto& entry : shard.entries())
      if (sparsifier.takes_part(weight++)) largest = std::max(largest, static_cast<std::size_t>(entry.bytes()));
  tensor::Buffer room(largest);
  bar.begin(staged ? "write" : "count", set.file_bytes());
  std::uint64_t done = weight = 0;
  for (std::size_t k = 0; k < set.shards().size(); ++k) {
    const SafetensorsFile& shard = set.shards()[k];
    formats::SafetensorsWriter* const writer = staged ? &staged->begin(k) : nullptr;
    for (std::size_t i = 0; i < shard.entries().size(); ++i, ++weight) {
      const tensor::Bytes bytes = shard.bytes(i);
      if (sparsifier.takes_part(weight)) {
        const std::span<std::byte> zeroed = room.span().first(bytes.size());
        outcome.layers.push_back(naming(set, [&] { return sparsifier.zero(weight, zeroed); }));
        if (writer) writer->write(zeroed);
      } else if (writer) {
        writer->write(bytes);
      }
      bar.advance(done += bytes.size());
    }
    if (writer) writer->finish();
  }
  bar.end();
  if (staged) staged->commit();
  return outcome;
}

}  // namespace coppice::cli
