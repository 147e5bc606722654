#include "coppice/base/mapped_file.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coppice/base/error.hpp"

namespace coppice::base {

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  // Opening a pipe would wait for a writer; a regular file ignores O_NONBLOCK.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw Error(path + ": cannot open: " + std::strerror(errno));
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    throw Error(path + ": expected a regular file");
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->size_ = static_cast<std::size_t>(status.st_size);
  if (file->size_ > 0) {
    void* at = ::mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, fd, 0);
    const int error = errno;
    ::close(fd);
    if (at == MAP_FAILED) {
      file->size_ = 0;
      throw Error(path + ": cannot map: " + std::strerror(error));
    }
    file->data_ = static_cast<const std::byte*>(at);
  } else {
    ::close(fd);
  }
  return file;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

namespace {

void advise(std::span<const std::byte> bytes, int advice) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  if (bytes.empty()) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size() + page - 1) / page * page;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

void prefetch_pages(std::span<const std::byte> bytes) {
  advise(bytes, MADV_WILLNEED);
}

void forget_pages(std::span<const std::byte> bytes) {
  advise(bytes, MADV_DONTNEED);
}

}  // namespace coppice::base
