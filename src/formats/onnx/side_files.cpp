#include "formats/onnx/side_files.hpp"

#include <algorithm>
#include <filesystem>

#include "coppice/base/error.hpp"

namespace coppice::formats::onnx_detail {
namespace {
namespace fs = std::filesystem;

bool lies_inside(const fs::path& file, const fs::path& folder) {
  const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  (void)unused;
  return end == folder.end();
}
}  // namespace

const std::shared_ptr<const base::MappedFile>& SideFiles::open(const std::string& location) {
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  if (folder_.empty()) throw Error("external data in \"" + location + "\": there is no folder to look in");
  const fs::path relative(location);
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute() ||
      std::find(relative.begin(), relative.end(), "..") != relative.end())
    throw Error("external data in \"" + location + "\": expected a path inside the model's folder");
  std::error_code code;
  if (canonical_folder_.empty()) canonical_folder_ = fs::canonical(folder_, code).string();
  const fs::path path = fs::canonical(fs::path(folder_) / relative, code);
  if (code) throw Error("external data in \"" + location + "\": " + code.message());
  if (!lies_inside(path, canonical_folder_))
    throw Error("external data in \"" + location + "\": the link leads out of the model's folder, to " + path.string() +
                "; put a copy in its place");
  auto file = base::MappedFile::open(path.string());
  total_bytes_ += file->bytes().size();
  return files_.emplace(location, std::move(file)).first->second;
}

std::vector<std::string> SideFiles::paths() const {
  std::vector<std::string> out;
  for (const auto& [location, file] : files_) out.push_back((fs::path(folder_) / location).string());
  std::sort(out.begin(), out.end());
  return out;
}

tensor::Bytes SideFiles::read(const std::string& location, std::uint64_t offset, std::optional<std::uint64_t> size) {
  const auto& file = open(location);
  const std::uint64_t available = file->bytes().size();
  if (offset > available || (size && *size > available - offset))
    throw Error("external data in \"" + location + "\": expected " +
                (size ? std::to_string(*size) + " bytes at offset " : "bytes at offset ") + std::to_string(offset) +
                ", the file has " + std::to_string(available));
  const std::uint64_t count = size.value_or(available - offset);
  return {file, file->bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count)),
          tensor::Residence::streamed};
}

}  // namespace coppice::formats::onnx_detail
