#include "cli/sparsify_checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "coppice/base/error.hpp"
#include "coppice/formats/packed.hpp"
#include "coppice/formats/safetensors_set.hpp"
#include "coppice/sparsity/streamed.hpp"

#include "base/naming.hpp"
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

/// The files that are written must not be those that are read, nor one another's.
void check_files(const SafetensorsSet& set, const SparsifyArguments& arguments) {
  if (!set.sharded() && !arguments.dry_run) check_target(arguments.out);
  const std::filesystem::path source = set.path(), masks_out = arguments.masks_out;
  // The folder of several files need not be there yet.
  const bool beside = set.sharded() && !arguments.dry_run && same_file(masks_out.parent_path(), arguments.out);
  if (!masks_out.empty() && !beside) check_target(masks_out);
  std::vector<std::string> names = set.names();
  if (set.sharded()) names.push_back(source.filename());
  for (const std::string& name : names) {
    const auto refuse = [&](const std::filesystem::path& folder, const std::string& file, const char* option) {
      if (same_file(folder / name, file))
        throw UsageError(std::string(option) + ": expected another file than those of the checkpoint, found " + file);
    };
    refuse(source.parent_path(), masks_out, "--masks-out");
    if (!set.sharded() || arguments.out.empty()) continue;
    refuse(arguments.out, masks_out, "--masks-out");
    refuse(arguments.out, arguments.masks, "--masks");
  }
}

/// By the weights, or by masks of a file.
class Choice {
 public:
  Choice(const SafetensorsSet& set, const SparsifyArguments& arguments) {
    if (!arguments.masks.empty()) file_.emplace(arguments.masks);
    base::naming(set.path(), [&] {
      if (file_)
        masks_.emplace(weights_of(set), *file_);
      else
        sparsifier_.emplace(weights_of(set), arguments.options);
    });
  }

  const sparsity::StreamedZeros& zeros() const {
    if (masks_) return *masks_;
    return *sparsifier_;
  }
  std::vector<sparsity::LeftDense> left() const {
    return sparsifier_ ? sparsifier_->left() : std::vector<sparsity::LeftDense>();
  }

 private:
  std::optional<sparsity::MaskFile> file_;
  std::optional<sparsity::StreamedMasks> masks_;
  std::optional<sparsity::StreamedSparsifier> sparsifier_;
};

/// The files to write, weight by weight.
class Results {
 public:
  Results(const SafetensorsSet& set, const sparsity::StreamedZeros& zeros, const SparsifyArguments& arguments)
      : set_(set), zeros_(zeros), room_(largest(set, zeros)), counter_(set) {
    if (!arguments.dry_run) checkpoint_.emplace(set, arguments.out);
    if (!arguments.masks_out.empty()) masks_.emplace(zeros.sites(), arguments.masks_out);
  }

  void make(Bar& bar, SparsifyOutcome& outcome) {
    std::size_t weight = 0;
    std::uint64_t done = 0;
    for (std::size_t k = 0; k < set_.shards().size(); ++k) {
      const SafetensorsFile& shard = set_.shards()[k];
      formats::SafetensorsWriter* const writer = checkpoint_ ? &checkpoint_->begin(k) : nullptr;
      for (std::size_t i = 0; i < shard.entries().size(); ++i, ++weight) {
        const tensor::Bytes bytes = shard.bytes(i);
        if (zeros_.takes_part(weight)) {
          const std::span<std::byte> zeroed = room_.span().first(bytes.size());
          outcome.layers.push_back(base::naming(set_.path(), [&] { return zero(weight, zeroed); }));
          counter_.add(k, i, {nullptr, zeroed});
          if (writer) writer->write(zeroed);
        } else {
          counter_.add(k, i, bytes);
          if (writer) writer->write(bytes);
        }
        bar.advance(done += bytes.size());
      }
      if (writer) writer->finish();
    }
  }

  /// What the results would take packed.
  std::uint64_t packed_bytes() const { return counter_.bytes(); }

  /// All are complete before the first is put in place.
  void commit() {
    if (masks_) masks_->finish();
    if (checkpoint_) checkpoint_->commit();
    if (masks_) masks_->commit();
  }

 private:
  static std::size_t largest(const SafetensorsSet& set, const sparsity::StreamedZeros& zeros) {
    std::size_t weight = 0, out = 0;
    for (const SafetensorsFile& shard : set.shards())
      for (const auto& entry : shard.entries())
        if (zeros.takes_part(weight++)) out = std::max(out, static_cast<std::size_t>(entry.bytes()));
    return out;
  }

  sparsity::ZeroCount zero(std::size_t weight, std::span<std::byte> room) {
    if (!masks_) return zeros_.zero(weight, room);
    tensor::Mask mask;
    const sparsity::ZeroCount out = zeros_.zero(weight, room, &mask);
    masks_->write(mask);
    return out;
  }

  const SafetensorsSet& set_;
  const sparsity::StreamedZeros& zeros_;
  tensor::Buffer room_;
  formats::PackCounter counter_;
  std::optional<formats::StagedSafetensors> checkpoint_;
  std::optional<sparsity::MaskWriter> masks_;
};

}  // namespace

void check_checkpoint_options(const SparsifyArguments& arguments) {
  if (looks_at_data(arguments))
    throw UsageError("--criterion " + arguments.criterion +
                     ": expected an ONNX file; a checkpoint has no graph to run");
  if (arguments.encoding != formats::Encoding::dense)
    throw UsageError("--encoding " + arguments.encoding_name +
                     ": expected an ONNX file, found a checkpoint, which coppice pack makes smaller");
}

SparsifyOutcome sparsify_checkpoint(const SparsifyArguments& arguments) {
  const SafetensorsSet set(arguments.model);
  for (const SafetensorsFile& file : set.shards())
    if (formats::packed_kind(file) != formats::Packed::no)
      throw Error(file.path() + ": is packed, so that its weights are not at hand; coppice unpack it first");
  check_files(set, arguments);
  SparsifyOutcome outcome;
  outcome.bytes_before = outcome.bytes_after = set.file_bytes();
  Bar bar;
  bar.begin("choose", 0);
  const Choice choice(set, arguments);
  outcome.left = choice.left();
  bar.end();
  Results results(set, choice.zeros(), arguments);
  bar.begin(arguments.dry_run ? "count" : "write", set.file_bytes());
  results.make(bar, outcome);
  bar.end();
  outcome.sizes = {{to_string(formats::Encoding::dense), outcome.bytes_after}, {bitmask, results.packed_bytes()}};
  results.commit();
  return outcome;
}

}  // namespace coppice::cli
