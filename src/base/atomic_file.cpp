#include "coppice/base/atomic_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coppice/base/error.hpp"

namespace coppice::base {
namespace {
constexpr std::size_t buffer_limit = std::size_t{1} << 16;
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) throw Error(path_ + ": is a folder");
  temporary_ = path_ + ".XXXXXX";
  fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (fd_ < 0) throw Error(path_ + ": cannot write: " + std::strerror(errno));
  // mkostemp makes the file private; a result should have the permissions of any other new file.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
    if (done < 0) {
      if (errno == EINTR) continue;
      throw Error(path_ + ": cannot write: " + std::strerror(errno));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void AtomicFile::flush() {
  write_through(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  if (buffer_.size() + bytes.size() <= buffer_limit) {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return;
  }
  flush();
  if (bytes.size() >= buffer_limit) {
    write_through(bytes);
  } else {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
}

void AtomicFile::finish() {
  if (fd_ < 0) return;
  flush();
  const int failed = ::close(fd_);
  fd_ = -1;
  if (failed != 0) throw Error(path_ + ": cannot write: " + std::strerror(errno));
}

void AtomicFile::commit() {
  finish();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    throw Error(path_ + ": cannot rename into place: " + std::strerror(errno));
  committed_ = true;
}

}  // namespace coppice::base
