#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/data/images.hpp"

#include "data/sample_numbers.hpp"

namespace coppice::data {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What `list` finds in a folder, in order.
template <class List>
Names in_order(const std::string& folder, List list) {
  Names out;
  try {
    list(out);
  } catch (const fs::filesystem_error& failure) {
    throw Error(folder + ": expected a folder of pictures that can be read, found: " + failure.code().message());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Names folders_in(const std::string& folder) {
  return in_order(folder, [&](Names& out) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (const std::string name = entry.path().filename(); entry.is_directory() && !name.starts_with('.'))
        out.push_back(name);
  });
}

bool is_picture(const fs::path& path) {
  std::string extension = path.extension();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

Names pictures_in(const std::string& folder) {
  return in_order(folder, [&](Names& out) {
    for (fs::recursive_directory_iterator entry(folder), end; entry != end; ++entry) {
      const bool hidden = entry->path().filename().string().starts_with('.');
      if (hidden && entry->is_directory()) entry.disable_recursion_pending();
      if (!hidden && entry->is_regular_file() && is_picture(entry->path())) out.push_back(entry->path());
    }
  });
}

/// Where the training part is, which names the classes, and the part that is wanted.
struct Parts {
  std::string training, wanted;
};

Parts parts_of(const std::string& folder, Part part) {
  const Names found = folders_in(folder);
  const bool parts = has(found, "train") && std::all_of(found.begin(), found.end(), [](const std::string& name) {
                       return name == "train" || name == "test" || name == "val";
                     });
  if (!parts) return {folder, folder};
  if (part == Part::training) return {folder + "/train", folder + "/train"};
  for (const char* name : {"test", "val"})
    if (has(found, name)) return {folder + "/train", folder + "/" + name};
  throw Error(folder + ": expected a folder test or val beside train, found none");
}

class ImageFolder : public Dataset {
 public:
  ImageFolder(const std::string& folder, std::int64_t size, Part part) : side_(size) {
    if (side_ < 1 || side_ > most_pixels / side_)
      throw Error(folder + ": expected pictures of 1 to " + std::to_string(most_pixels) + " pixels, found sides of " +
                  std::to_string(side_));
    const Parts parts = parts_of(folder, part);
    names_ = folders_in(parts.training);
    if (names_.empty()) throw Error(parts.training + ": expected a folder for each class, found none");
    for (const std::string& name : folders_in(parts.wanted)) {
      const auto number = std::find(names_.begin(), names_.end(), name) - names_.begin();
      const std::string where = parts.wanted + "/" + name;
      if (static_cast<std::size_t>(number) == names_.size())
        throw Error(where + ": expected a class of " + parts.training + ", found another");
      const Names pictures = pictures_in(where);
      if (pictures.empty()) throw Error(where + ": expected pictures (.jpg, .jpeg, .png), found none");
      files_.insert(files_.end(), pictures.begin(), pictures.end());
      classes_.insert(classes_.end(), pictures.size(), number);
    }
    if (files_.empty()) throw Error(parts.wanted + ": expected a folder for each class, found none");
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  Names class_names() const override { return names_; }

  Batch gather(const at::Tensor& samples) const override {
    const std::vector<std::int64_t> numbers = sample_numbers(samples, size());
    const at::Tensor pictures = at::empty({samples.numel(), 3, side_, side_}, at::kByte);
    std::vector<std::int64_t> target;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto sample = static_cast<std::size_t>(numbers[i]);
      pictures[static_cast<std::int64_t>(i)].copy_(picture(files_[sample]));
      target.push_back(classes_[sample]);
    }
    return {{pictures}, at::tensor(target, at::kLong)};
  }

 private:
  at::Tensor picture(const std::string& path) const {
    const at::Tensor whole = decode_picture(base::MappedFile::open(path)->bytes(), path);
    try {
      return fit_picture(whole, side_);
    } catch (const Error& error) {
      throw Error(path + ": " + error.what());
    }
  }

  std::int64_t side_;
  Names names_, files_;
  std::vector<std::int64_t> classes_;
};

}  // namespace

DatasetPtr read_image_folder(const std::string& folder, std::int64_t size, Part part, Damaged damaged) {
  const auto out = std::make_shared<ImageFolder>(folder, size, part);
  return damaged == Damaged::skipped ? without_damaged(out) : out;
}

}  // namespace coppice::data
