#include <filesystem>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors_set.hpp"

namespace coppice::formats {
namespace fs = std::filesystem;

StagedSafetensors::StagedSafetensors(const SafetensorsSet& like, const std::string& target)
    : like_(like), target_(target), writers_(like.shards().size()) {
  std::error_code error;
  if (!like.sharded()) return;
  if (fs::exists(target, error) && !fs::is_directory(target, error))
    throw Error(target + ": expected a folder for a checkpoint of several files, found a file");
  made_folder_ = fs::create_directory(target, error);
  if (error) throw Error(target + ": cannot make the folder: " + error.message());
}

StagedSafetensors::~StagedSafetensors() {
  writers_.clear();
  std::error_code ignored;
  if (made_folder_ && !committed_) fs::remove(target_, ignored);  // only when it is empty
}

SafetensorsWriter& StagedSafetensors::begin(std::size_t shard) {
  const std::string path = like_.sharded() ? (fs::path(target_) / like_.names().at(shard)).string() : target_;
  writers_.at(shard) = std::make_unique<SafetensorsWriter>(path, like_.shards().at(shard).layout());
  return *writers_[shard];
}

void StagedSafetensors::commit() {
  for (std::size_t i = 0; i < writers_.size(); ++i) {
    if (!writers_[i]) begin(i);
    writers_[i]->finish();
  }
  std::optional<base::AtomicFile> index;
  if (like_.sharded()) {
    index.emplace((fs::path(target_) / fs::path(like_.path()).filename()).string());
    index->write(like_.index());
    index->finish();
  }
  committed_ = true;
  for (const auto& writer : writers_) writer->commit();
  if (index) index->commit();
}

}  // namespace coppice::formats
