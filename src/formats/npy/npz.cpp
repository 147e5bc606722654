#include "coppice/formats/npz.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include <minizip/unzip.h>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/formats/npy.hpp"

#include "formats/inflate.hpp"
#include "formats/npy/memory_file.hpp"

namespace coppice::formats {
namespace {

constexpr std::string_view suffix = ".npy", archive_suffix = ".npz";
constexpr std::size_t most_name = 1024, most_at_once = std::size_t{1} << 30;
constexpr uLong encrypted = 1, stored = 0, deflated = 8;

struct Entry {
  unz64_file_pos place{};
  std::size_t packed = 0, size = 0;
  uLong method = 0;
  bool locked = false;
};

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

}  // namespace

struct NpzFile::State {
  std::string path;
  tensor::Bytes bytes;
  npy_detail::MemoryFile memory;
  unzFile zip = nullptr;
  std::vector<std::string> names;
  std::vector<Entry> entries;

  State(tensor::Bytes content, std::string file)
      : path(std::move(file)), bytes(std::move(content)), memory(bytes.span()) {
    zlib_filefunc64_def functions = memory.functions();
    zip = unzOpen2_64(path.c_str(), &functions);
    if (!zip) fail("it is no zip file");
  }
  ~State() {
    if (zip) unzClose(zip);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(path + ": expected a zip file of NumPy arrays: " + what);
  }

  void list() {
    unz_global_info64 all{};
    if (unzGetGlobalInfo64(zip, &all) != UNZ_OK) fail("its directory is damaged");
    if (all.number_entry == 0) return;
    std::unordered_set<std::string> seen;
    int status = unzGoToFirstFile(zip);
    for (; status == UNZ_OK; status = unzGoToNextFile(zip)) add(seen);
    if (status != UNZ_END_OF_LIST_OF_FILE) fail("its directory is damaged");
  }

  void add(std::unordered_set<std::string>& seen) {
    unz_file_info64 info{};
    std::array<char, most_name + 1> text{};
    if (unzGetCurrentFileInfo64(zip, &info, text.data(), text.size(), nullptr, 0, nullptr, 0) != UNZ_OK)
      fail("its directory is damaged");
    if (info.size_filename > most_name) fail("a name is longer than " + std::to_string(most_name) + " bytes");
    std::string_view name(text.data(), info.size_filename);
    if (!name.ends_with(suffix)) return;
    name.remove_suffix(suffix.size());
    if (!seen.emplace(name).second) fail("two arrays are named " + quoted(name));
    Entry entry{.packed = info.compressed_size,
                .size = info.uncompressed_size,
                .method = info.compression_method,
                .locked = (info.flag & encrypted) != 0};
    if (unzGetFilePos64(zip, &entry.place) != UNZ_OK) fail("its directory is damaged");
    names.emplace_back(name);
    entries.push_back(entry);
  }

  // Before memory is taken for what the directory promises.
  void check(const Entry& entry) const {
    if (entry.locked) throw Error("it is encrypted");
    if (entry.method != stored && entry.method != deflated)
      throw Error("expected it stored or deflated, found compression method " + std::to_string(entry.method));
    if (entry.packed > bytes.size())
      throw Error("expected at most the file's " + std::to_string(bytes.size()) + " bytes, found " +
                  std::to_string(entry.packed));
    const std::size_t most = entry.method == stored ? entry.packed : Inflater::most_bytes(entry.packed);
    if (entry.size > most)
      throw Error("expected at most " + std::to_string(most) + " bytes out of " + std::to_string(entry.packed) +
                  ", found " + std::to_string(entry.size));
  }

  tensor::Bytes extract(const Entry& entry) {
    check(entry);
    unz64_file_pos place = entry.place;
    if (unzGoToFilePos64(zip, &place) != UNZ_OK || unzOpenCurrentFile(zip) != UNZ_OK)
      throw Error("its place in the file is damaged");
    struct Closing {
      unzFile zip;
      ~Closing() { unzCloseCurrentFile(zip); }
    } closing{zip};
    tensor::Buffer buffer(entry.size);
    for (std::size_t done = 0; done < entry.size;) {
      const auto wanted = static_cast<unsigned>(std::min(entry.size - done, most_at_once));
      const int got = unzReadCurrentFile(zip, buffer.span().data() + done, wanted);
      if (got <= 0) throw Error("its compressed data are damaged or end early");
      done += static_cast<std::size_t>(got);
    }
    if (unzCloseCurrentFile(zip) == UNZ_CRCERROR) throw Error("its checksum differs");
    return std::move(buffer).freeze();
  }
};

NpzFile::NpzFile(tensor::Bytes bytes, std::string name)
    : state_(std::make_unique<State>(std::move(bytes), std::move(name))) {
  state_->list();
}

NpzFile::NpzFile(const std::string& path)
    : NpzFile(
          [&] {
            const auto file = base::MappedFile::open(path);
            return tensor::Bytes(file, file->bytes(), tensor::Residence::mapped);
          }(),
          path) {}

NpzFile::~NpzFile() = default;
NpzFile::NpzFile(NpzFile&&) noexcept = default;
NpzFile& NpzFile::operator=(NpzFile&&) noexcept = default;

const std::vector<std::string>& NpzFile::names() const {
  return state_->names;
}

tensor::Tensor NpzFile::read(std::string_view array) const {
  const auto& names = state_->names;
  const auto found = std::find(names.begin(), names.end(), array);
  if (found == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw Error(state_->path + ": expected an array " + quoted(array) + ", found " + (known.empty() ? "none" : known));
  }
  tensor::Bytes bytes;
  try {
    bytes = state_->extract(state_->entries[static_cast<std::size_t>(found - names.begin())]);
  } catch (const Error& error) {
    throw Error(state_->path + ": array " + quoted(array) + ": " + error.what());
  }
  return read_npy(std::move(bytes), state_->path + ":" + std::string(array));
}

std::optional<std::pair<std::string, std::string>> split_npz(std::string_view text) {
  for (std::size_t at = text.find(archive_suffix); at != std::string_view::npos;
       at = text.find(archive_suffix, at + 1)) {
    const std::size_t end = at + archive_suffix.size();
    if (end == text.size()) return std::pair(std::string(text), std::string());
    if (text[end] == ':') return std::pair(std::string(text.substr(0, end)), std::string(text.substr(end + 1)));
  }
  return std::nullopt;
}

}  // namespace coppice::formats
