#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/formats/packed.hpp"

#include "base/naming.hpp"
#include "formats/packed/parts.hpp"
#include "formats/safetensors/index.hpp"
#include "formats/safetensors/parse_header.hpp"

namespace coppice::formats {
namespace {
using namespace packed_detail;
namespace fs = std::filesystem;

/// All whole.
/// What is stored of each file, as it is, and all names.
struct Whole {
  explicit Whole(const SafetensorsSet& set) {
    for (const SafetensorsFile& file : set.shards()) {
      std::vector<Part>& shard = parts.emplace_back();
      for (std::size_t i = 0; i < file.entries().size(); ++i) shard.push_back({file.entries()[i], file.bytes(i), {}});
      add_names(shard, names);
    }
  }

  std::vector<std::vector<Part>> parts;
  Names names;
};

SafetensorsLayout packed_layout(const SafetensorsFile& file, const std::vector<Part>& parts, const std::string& index) {
  SafetensorsMetadata metadata;
  for (const auto& text : file.layout().metadata.value_or(SafetensorsMetadata()))
    if (text.first != marker_key && text.first != header_key && text.first != index_key) metadata.push_back(text);
  metadata.emplace_back(marker_key, checkpoint_marker);
  metadata.emplace_back(header_key, file.layout().header);
  if (!index.empty()) metadata.emplace_back(index_key, index);
  std::vector<SafetensorsEntry> entries;
  for (const Part& part : parts) append_entries(part, entries);
  return SafetensorsLayout::of(std::move(entries), std::move(metadata));
}

std::string index_of(const SafetensorsPlan& plan) {
  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  // Not through map[name], which looks through all names before.
  auto& list = map.get_ref<nlohmann::ordered_json::object_t&>();
  Names names;
  std::uint64_t bytes = 0;
  for (const SafetensorsPlan::Shard& shard : plan.shards) {
    bytes += shard.layout.data_bytes();
    for (const SafetensorsEntry& entry : shard.layout.entries) {
      if (!names.insert(entry.name).second) throw Error("two tensors would be named \"" + entry.name + "\"");
      list.emplace_back(entry.name, shard.name);
    }
  }
  return nlohmann::ordered_json{{"metadata", {{"total_size", bytes}}}, {"weight_map", map}}.dump(2) + '\n';
}

std::uint64_t file_bytes(const SafetensorsPlan& plan) {
  std::uint64_t out = plan.index.size();
  for (const SafetensorsPlan::Shard& shard : plan.shards) out += shard.layout.file_bytes();
  return out;
}

/// A packed file and what it was made from are no two states of one thing: the one must not replace the other.
void expect_elsewhere(const SafetensorsSet& read, const SafetensorsPlan& plan, const std::string& target) {
  std::vector<fs::path> written{target};
  if (!plan.index.empty()) {
    written = {fs::path(target) / plan.index_name};
    for (const SafetensorsPlan::Shard& shard : plan.shards) written.push_back(fs::path(target) / shard.name);
  }
  std::vector<std::string> sources{read.path()};
  for (const SafetensorsFile& file : read.shards()) sources.push_back(file.path());
  std::error_code error;
  for (const fs::path& file : written)
    for (const std::string& source : sources)
      if (fs::equivalent(file, source, error))
        throw Error(target + ": expected another place than that of what is read, found its " +
                    file.filename().string());
}

SafetensorsPlan packed_plan(const SafetensorsSet& set, const std::vector<std::vector<Part>>& parts) {
  SafetensorsPlan out;
  for (std::size_t k = 0; k < set.shards().size(); ++k)
    out.shards.push_back({set.names()[k], packed_layout(set.shards()[k], parts[k], k == 0 ? set.index() : "")});
  if (!set.sharded()) return out;
  out.index_name = fs::path(set.path()).filename().string();
  out.index = index_of(out);
  return out;
}

/// The index that was packed, which must name these files.
void add_index(const SafetensorsSet& packed, SafetensorsPlan& plan) {
  if (!packed.sharded()) return;
  const auto text = metadata_text(packed.shards().front().layout(), index_key);
  if (!text) throw Error("expected the metadata " + std::string(index_key) + ", found none");
  std::map<std::string_view, std::string_view> places;
  for (const SafetensorsPlan::Shard& shard : plan.shards)
    for (const SafetensorsEntry& entry : shard.layout.entries) places.emplace(entry.name, shard.name);
  const auto index = safetensors_detail::parse_index(*text);
  for (const auto& [tensor, file] : index.files) {
    const auto found = places.find(tensor);
    if (found == places.end() || found->second != file)
      throw Error("the index that was packed has tensor \"" + tensor + "\" in " + file + ", where it is not");
  }
  plan.index = *text;
  plan.index_name = fs::path(packed.path()).filename().string();
}

/// The files as they were, with what their headers say checked against what is stored.
SafetensorsPlan original_plan(const SafetensorsSet& packed, PackReport& report) {
  SafetensorsPlan out;
  for (std::size_t k = 0; k < packed.shards().size(); ++k) {
    const SafetensorsFile& file = packed.shards()[k];
    if (packed_kind(file) != Packed::checkpoint)
      throw Error(packed.names()[k] + ": expected a checkpoint that coppice pack wrote");
    const auto header = metadata_text(file.layout(), header_key);
    if (!header) throw Error(packed.names()[k] + ": expected the metadata " + std::string(header_key) + ", found none");
    SafetensorsLayout layout = safetensors_detail::sound_layout(*header);
    std::size_t used = 0;
    for (const SafetensorsEntry& entry : layout.entries) {
      const StoredTensor stored(file, entry.name);
      if (stored.type() != entry.type || stored.shape() != entry.shape)
        throw Error("tensor \"" + entry.name + "\": expected " + entry.type + " " + tensor::to_string(entry.shape) +
                    ", found " + stored.type() + " " + tensor::to_string(stored.shape()));
      used += stored.entries();
      report.packed += stored.entries() > 1;
    }
    if (used != file.entries().size())
      throw Error(packed.names()[k] + ": expected " + std::to_string(used) + " tensors, found " +
                  std::to_string(file.entries().size()));
    report.tensors += layout.entries.size();
    out.shards.push_back({packed.names()[k], std::move(layout)});
  }
  add_index(packed, out);
  return out;
}

}  // namespace

Packed packed_kind(const SafetensorsFile& file) {
  const auto marker = metadata_text(file.layout(), marker_key);
  if (marker == checkpoint_marker) return Packed::checkpoint;
  return marker == model_marker ? Packed::model : Packed::no;
}

PackReport pack_checkpoint(const SafetensorsSet& set, const std::string& target, base::Progress* progress) {
  base::Progress silent;
  base::Progress& told = progress ? *progress : silent;
  PackReport report{.bytes_before = set.file_bytes()};
  for (const SafetensorsFile& file : set.shards())
    if (packed_kind(file) != Packed::no) throw Error(file.path() + ": is packed already");
  Whole whole(set);
  std::vector<std::vector<Part>>& parts = whole.parts;
  std::uint64_t done = 0;
  told.begin("count", report.bytes_before);
  for (std::vector<Part>& shard : parts) {
    for (Part& part : shard) {
      choose(part, whole.names);
      told.advance(done += part.bytes.size());
    }
  }
  told.end();
  SafetensorsPlan plan = base::naming(set.path(), [&] { return packed_plan(set, parts); });
  for (const std::vector<Part>& shard : parts) {
    report.tensors += shard.size();
    for (const Part& part : shard) report.packed += part.filled.has_value();
  }
  report.bytes_after = file_bytes(plan);
  if (target.empty()) return report;
  expect_elsewhere(set, plan, target);
  told.begin("write", report.bytes_before);
  StagedSafetensors staged(std::move(plan), target);
  done = 0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    SafetensorsWriter& writer = staged.begin(k);
    for (const Part& part : parts[k]) {
      write_part(part, writer);
      told.advance(done += part.bytes.size());
    }
    writer.finish();
  }
  staged.commit();
  told.end();
  return report;
}

struct PackCounter::State {
  explicit State(const SafetensorsSet& of) : set(of), whole(of) {}
  const SafetensorsSet& set;
  Whole whole;
};

PackCounter::PackCounter(const SafetensorsSet& like) : state_(std::make_unique<State>(like)) {}
PackCounter::~PackCounter() = default;

void PackCounter::add(std::size_t shard, std::size_t entry, const tensor::Bytes& bytes) {
  Part& stored = state_->whole.parts.at(shard).at(entry);
  Part part{stored.entry, bytes, {}};
  choose(part, state_->whole.names);
  stored.filled = part.filled;
}

std::uint64_t PackCounter::bytes() const {
  return base::naming(state_->set.path(), [&] { return file_bytes(packed_plan(state_->set, state_->whole.parts)); });
}

PackReport unpack_checkpoint(const SafetensorsSet& packed, const std::string& target, base::Progress* progress) {
  base::Progress silent;
  base::Progress& told = progress ? *progress : silent;
  PackReport report{.bytes_before = packed.file_bytes()};
  const SafetensorsPlan plan = base::naming(packed.path(), [&] { return original_plan(packed, report); });
  report.bytes_after = file_bytes(plan);
  expect_elsewhere(packed, plan, target);
  told.begin("write", report.bytes_after);
  StagedSafetensors staged(plan, target);
  tensor::Buffer room(0);
  std::uint64_t done = 0;
  for (std::size_t k = 0; k < plan.shards.size(); ++k) {
    SafetensorsWriter& writer = staged.begin(k);
    for (const SafetensorsEntry& entry : plan.shards[k].layout.entries) {
      const StoredTensor stored(packed.shards()[k], entry.name);
      if (const auto whole = stored.whole()) {
        writer.write(*whole);
      } else {
        if (room.span().size() < stored.bytes()) room = tensor::Buffer(static_cast<std::size_t>(stored.bytes()));
        const auto out = room.span().first(static_cast<std::size_t>(stored.bytes()));
        base::naming(packed.path(), [&] { stored.expand(out); });
        writer.write(out);
      }
      told.advance(done += entry.bytes());
    }
    writer.finish();
  }
  staged.commit();
  told.end();
  return report;
}

}  // namespace coppice::formats
