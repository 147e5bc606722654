#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coppice/formats/safetensors.hpp"

namespace coppice::formats {

/// A checkpoint: one safetensors file, or several with an index that says which tensor lies in which
/// (NAME.safetensors.index.json with "weight_map" and "metadata"."total_size", as Hugging Face's libraries write it).
///
/// Refused: an index that is not the JSON of such a one or names something twice; shards that are missing or lie in
/// another folder; tensors that are not in the shard that the index names, or not in the index; another sum of the
/// tensors' bytes than total_size.
class SafetensorsSet {
 public:
  /// Opens a safetensors file, an index (a name that ends with ".json") or a folder that holds one index or, without
  /// an index, one safetensors file. Throws Error.
  explicit SafetensorsSet(const std::string& path);

  /// Of the file or the index; in a folder, what was found there.
  const std::string& path() const { return path_; }
  bool sharded() const { return !index_.empty(); }
  /// In the order in which the index first names them; names within the folder of the index.
  const std::vector<SafetensorsFile>& shards() const { return shards_; }
  const std::vector<std::string>& names() const { return names_; }
  /// The text of the index; empty for a single file.
  const std::string& index() const { return index_; }
  std::uint64_t file_bytes() const;

 private:
  std::string path_, index_;
  std::vector<SafetensorsFile> shards_;
  std::vector<std::string> names_;
};

/// What a checkpoint is to look like.
struct SafetensorsPlan {
  struct Shard {
    std::string name;
    SafetensorsLayout layout;
  };
  std::vector<Shard> shards;
  std::string index_name, index;  ///< Name and text of the index; empty for a single file.
};

/// Writes a checkpoint. A single file goes to a file, a sharded one to a folder, which is made when it does not exist.
/// All files are complete under temporary names before the first is renamed, the index last; without commit() nothing
/// changes.
class StagedSafetensors {
 public:
  /// Throws Error when `target` is a file for a sharded set.
  StagedSafetensors(SafetensorsPlan plan, const std::string& target);
  /// With the layout of another: the same headers and index, other bytes.
  /// `target` may be the place of `like` itself.
  StagedSafetensors(const SafetensorsSet& like, const std::string& target);
  ~StagedSafetensors();
  StagedSafetensors(const StagedSafetensors&) = delete;
  StagedSafetensors& operator=(const StagedSafetensors&) = delete;

  /// For the tensors of one shard, in the order of its layout. The shards may come in any order, each once.
  SafetensorsWriter& begin(std::size_t shard);
  /// Renames all. Throws Error, before the first renaming, for a shard that lacks bytes.
  void commit();

 private:
  SafetensorsPlan plan_;
  std::string target_;
  bool made_folder_ = false, committed_ = false;
  std::vector<std::unique_ptr<SafetensorsWriter>> writers_;
};

}  // namespace coppice::formats
