#include <filesystem>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors_set.hpp"

namespace coppice::formats {
namespace fs = std::filesystem;
namespace {

SafetensorsPlan plan_like(const SafetensorsSet& set) {
  SafetensorsPlan out;
  for (std::size_t i = 0; i < set.shards().size(); ++i)
    out.shards.push_back({set.names()[i], set.shards()[i].layout()});
  if (!set.sharded()) return out;
  out.index_name = fs::path(set.path()).filename().string();
  out.index = set.index();
  return out;
}

}  // namespace

StagedSafetensors::StagedSafetensors(SafetensorsPlan plan, const std::string& target)
    : plan_(std::move(plan)), target_(target), writers_(plan_.shards.size()) {
  std::error_code error;
  if (plan_.index.empty()) return;
  if (fs::exists(target, error) && !fs::is_directory(target, error))
    throw Error(target + ": expected a folder for a checkpoint of several files, found a file");
  made_folder_ = fs::create_directory(target, error);
  if (error) throw Error(target + ": cannot make the folder: " + error.message());
}

StagedSafetensors::StagedSafetensors(const SafetensorsSet& like, const std::string& target)
    : StagedSafetensors(plan_like(like), target) {}

StagedSafetensors::~StagedSafetensors() {
  writers_.clear();
  std::error_code ignored;
  if (made_folder_ && !committed_) fs::remove(target_, ignored);  // only when it is empty
}

SafetensorsWriter& StagedSafetensors::begin(std::size_t shard) {
  const SafetensorsPlan::Shard& planned = plan_.shards.at(shard);
  const std::string path = plan_.index.empty() ? target_ : (fs::path(target_) / planned.name).string();
  writers_[shard] = std::make_unique<SafetensorsWriter>(path, planned.layout);
  return *writers_[shard];
}

void StagedSafetensors::commit() {
  for (std::size_t i = 0; i < writers_.size(); ++i) {
    if (!writers_[i]) begin(i);
    writers_[i]->finish();
  }
  std::optional<base::AtomicFile> index;
  if (!plan_.index.empty()) {
    index.emplace((fs::path(target_) / plan_.index_name).string());
    index->write(plan_.index);
    index->finish();
  }
  committed_ = true;
  for (const auto& writer : writers_) writer->commit();
  if (index) index->commit();
}

}  // namespace coppice::formats
