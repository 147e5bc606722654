#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace coppice::base {

/// A file mapped read-only into memory. The bytes live as long as any copy of the shared pointer.
class MappedFile {
 public:
  /// Throws Error when `path` is missing, unreadable or not a regular file.
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Has the kernel begin to read the pages that hold `bytes`, which must belong to a MappedFile, and does not wait for
/// it.
void prefetch_pages(std::span<const std::byte> bytes);

/// Tells the kernel that the pages that hold `bytes`, which must belong to a MappedFile, are not needed for now:
/// resident memory shrinks, and a later read fetches them again from the file.
void forget_pages(std::span<const std::byte> bytes);

}  // namespace coppice::base
