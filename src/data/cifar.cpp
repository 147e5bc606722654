#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/data/read.hpp"

#include "data/sample_numbers.hpp"

namespace coppice::data {
namespace {

constexpr std::int64_t pixels = 3 * 32 * 32;

struct Label {
  const char* name;
  std::uint8_t classes;
};

/// How the files of one of the two are made: so many labels, of which the last counts, and the pixels.
struct Layout {
  std::vector<std::string> training;
  std::string test, names;
  std::vector<Label> labels;

  std::int64_t record() const { return static_cast<std::int64_t>(labels.size()) + pixels; }
};

Layout layout_of(Cifar kind) {
  if (kind == Cifar::hundred)
    return {{"train.bin"}, "test.bin", "fine_label_names.txt", {{"coarse label", 20}, {"fine label", 100}}};
  Layout out{{}, "test_batch.bin", "batches.meta.txt", {{"label", 10}}};
  for (int i = 1; i <= 5; ++i) out.training.push_back("data_batch_" + std::to_string(i) + ".bin");
  return out;
}

std::vector<std::string> read_names(const std::string& path, std::size_t classes) {
  std::ifstream file(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) out.push_back(line);
  }
  if (!out.empty() && out.size() != classes)
    throw Error(path + ": expected the names of " + std::to_string(classes) + " classes, one a line, found " +
                std::to_string(out.size()));
  return out;
}

class CifarFolder : public Dataset {
 public:
  CifarFolder(const std::string& folder, Cifar kind, Part part) : layout_(layout_of(kind)) {
    for (const std::string& name : part == Part::training ? layout_.training : std::vector{layout_.test}) {
      const std::string path = folder + "/" + name;
      File file{path, base::MappedFile::open(path), size_};
      const auto bytes = static_cast<std::int64_t>(file.content->bytes().size());
      if (bytes == 0) throw Error(path + ": expected records of pictures, found an empty file");
      // One that is cut short counts, so that it can be named.
      size_ += (bytes + layout_.record() - 1) / layout_.record();
      files_.push_back(std::move(file));
    }
    const std::string names = folder + "/" + layout_.names;
    if (std::filesystem::exists(names)) names_ = read_names(names, layout_.labels.back().classes);
  }

  std::int64_t size() const override { return size_; }
  std::vector<std::string> class_names() const override { return names_; }

  Batch gather(const at::Tensor& samples) const override {
    const at::Tensor pictures = at::empty({samples.size(0), 3, 32, 32}, at::kByte);
    const at::Tensor target = at::empty({samples.size(0)}, at::kLong);
    auto* label = target.data_ptr<std::int64_t>();
    auto* picture = pictures.data_ptr<std::uint8_t>();
    for (const std::int64_t sample : sample_numbers(samples, size_)) {
      const auto bytes = record(sample);
      *label++ = std::to_integer<std::int64_t>(bytes[layout_.labels.size() - 1]);
      std::memcpy(picture, bytes.data() + layout_.labels.size(), pixels);
      picture += pixels;
    }
    return {{pictures}, target};
  }

  /// Throws Error for the first record that is damaged.
  void check() const {
    for (std::int64_t sample = 0; sample < size_; ++sample) record(sample);
  }

 private:
  struct File {
    std::string path;
    std::shared_ptr<const base::MappedFile> content;
    std::int64_t first = 0;
  };

  std::span<const std::byte> record(std::int64_t sample) const {
    std::size_t f = files_.size() - 1;
    while (files_[f].first > sample) --f;
    const File& file = files_[f];
    const std::int64_t number = sample - file.first;
    const auto length = static_cast<std::size_t>(layout_.record());
    const auto rest = file.content->bytes().subspan(static_cast<std::size_t>(number) * length);
    const std::string where = file.path + ": record " + std::to_string(number) + ": expected ";
    if (rest.size() < length)
      throw Error(where + std::to_string(length) + " bytes, found " + std::to_string(rest.size()));
    for (std::size_t i = 0; i < layout_.labels.size(); ++i)
      if (const auto found = std::to_integer<int>(rest[i]); found >= layout_.labels[i].classes)
        throw Error(where + "a " + layout_.labels[i].name + " of 0 to " +
                    std::to_string(layout_.labels[i].classes - 1) + ", found " + std::to_string(found));
    return rest.first(length);
  }

  Layout layout_;
  std::vector<File> files_;
  std::int64_t size_ = 0;
  std::vector<std::string> names_;
};

}  // namespace

DatasetPtr read_cifar_folder(const std::string& folder, Cifar kind, Part part, Damaged damaged) {
  const auto out = std::make_shared<CifarFolder>(folder, kind, part);
  if (damaged == Damaged::skipped) return without_damaged(out);
  out->check();
  return out;
}

}  // namespace coppice::data
