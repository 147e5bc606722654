#include <algorithm>
#include <filesystem>
#include <map>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/formats/safetensors_set.hpp"

#include "formats/safetensors/index.hpp"

namespace coppice::formats {
namespace {
using safetensors_detail::Index;
namespace fs = std::filesystem;

constexpr std::string_view one_ending = ".safetensors", index_ending = ".safetensors.index.json";

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + fs::path(name).filename().string();
  return out.empty() ? "none" : out;
}

// What a folder holds: its index or else its only file.
std::string within(const std::string& folder) {
  std::vector<std::string> indices, files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(index_ending)) indices.push_back(at->path().string());
    if (name.ends_with(one_ending)) files.push_back(at->path().string());
  }
  if (error) throw Error(folder + ": cannot read the folder: " + error.message());
  for (auto* found : {&indices, &files}) {
    if (found->size() == 1) return found->front();
    std::sort(found->begin(), found->end());
    if (!found->empty())
      throw Error(folder + ": expected one *" + std::string(found == &indices ? index_ending : one_ending) +
                  (found == &indices ? "" : " or an index of several") + ", found " + list(*found));
  }
  throw Error(folder + ": expected a safetensors file or an index of several, found neither");
}

std::string read_text(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  return {reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
}

// Every tensor of the index must lie where the index says, and every tensor of a shard must be in the index.
void check(const Index& index, const std::map<std::string, std::size_t, std::less<>>& places,
           const std::vector<SafetensorsFile>& shards) {
  std::uint64_t bytes = 0, tensors = 0;
  std::map<std::string_view, std::size_t> where;
  for (const auto& [tensor, file] : index.files) {
    const std::size_t shard = places.find(file)->second;
    if (!shards[shard].find(tensor))
      throw Error("tensor \"" + tensor + "\" is not in " + file + ", where weight_map says it is");
    where.emplace(tensor, shard);
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    bytes += shards[i].layout().data_bytes();
    tensors += shards[i].entries().size();
    for (const SafetensorsEntry& entry : shards[i].entries()) {
      const auto found = where.find(entry.name);
      const std::string name = fs::path(shards[i].path()).filename().string();
      if (found == where.end()) throw Error("tensor \"" + entry.name + "\" of " + name + " is not in weight_map");
      if (found->second != i)
        throw Error("tensor \"" + entry.name + "\" is in " + name + " too, but weight_map has it in " +
                    fs::path(shards[found->second].path()).filename().string());
    }
  }
  if (index.total_bytes && *index.total_bytes != bytes)
    throw Error("metadata: total_size: expected " + std::to_string(bytes) + ", the bytes of all " +
                std::to_string(tensors) + " tensors, found " + std::to_string(*index.total_bytes));
}

}  // namespace

SafetensorsSet::SafetensorsSet(const std::string& path) : path_(path) {
  std::error_code error;
  if (fs::is_directory(path, error)) path_ = within(path);
  if (!path_.ends_with(".json")) {
    shards_.emplace_back(path_);
    names_.push_back(fs::path(path_).filename().string());
    return;
  }
  std::string text = read_text(path_);
  try {
    const Index index = safetensors_detail::parse_index(text);
    std::map<std::string, std::size_t, std::less<>> places;
    for (const auto& [tensor, file] : index.files)
      if (places.emplace(file, names_.size()).second) names_.push_back(file);
    for (const std::string& name : names_) {
      const std::string shard = (fs::path(path_).parent_path() / name).string();
      if (!fs::exists(shard, error)) throw Error("the shard " + name + " is missing");
      shards_.emplace_back(shard);
    }
    check(index, places, shards_);
  } catch (const Error& failure) {
    throw Error(path_ + ": " + failure.what());
  }
  index_ = std::move(text);
}

std::uint64_t SafetensorsSet::file_bytes() const {
  std::uint64_t out = index_.size();
  for (const SafetensorsFile& shard : shards_) out += shard.layout().file_bytes();
  return out;
}

}  // namespace coppice::formats
