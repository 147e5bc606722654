#include "coppice/base/atomic_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coppice/base/error.hpp"

namespace coppice::base {
namespace {
constexpr std::size_t buffer_limit = std::size_t{1} << 16;
// At a time: on ext4 the same bytes took ten times as long in calls of 16 MB and more as in calls of 128 KiB.
constexpr std::size_t call_limit = std::size_t{1} << 17;

// Names of temporary files that a signal handler may remove; more than there is room for at once are not.
std::array<std::atomic<char*>, 1024> unfinished;

std::size_t remember(const std::string& temporary) {
  char* const name = ::strdup(temporary.c_str());
  for (std::size_t i = 0; name && i < unfinished.size(); ++i) {
    char* empty = nullptr;
    if (unfinished[i].compare_exchange_strong(empty, name)) return i;
  }
  std::free(name);
  return unfinished.size();
}

void forget(std::size_t slot) {
  if (slot < unfinished.size()) std::free(unfinished[slot].exchange(nullptr));
}

// What a link leads to is written, so that the link stays.
std::string behind_links(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  char* const real = ::realpath(path.c_str(), nullptr);
  if (!real) throw Error(path + ": the link leads nowhere: " + std::strerror(errno));
  std::string out(real);
  std::free(real);
  return out;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), target_(behind_links(path_)) {
  struct stat status {};
  const bool exists = ::stat(target_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) throw Error(path_ + ": is a folder");
  if (exists && !S_ISREG(status.st_mode)) throw Error(path_ + ": expected a regular file");
  temporary_ = target_ + ".XXXXXX";
  fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (fd_ < 0) throw Error(path_ + ": cannot write: " + std::strerror(errno));
  slot_ = remember(temporary_);
  // mkostemp makes the file private; a result should have the permissions of what it replaces, or of any new file.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd_, exists ? status.st_mode & 0777 : 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
  forget(slot_);
}

void remove_unfinished_files() noexcept {
  for (auto& slot : unfinished)
    if (char* const name = slot.load()) ::unlink(name);
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), std::min(bytes.size(), call_limit));
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
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0)
    throw Error(path_ + ": cannot rename into place: " + std::strerror(errno));
  committed_ = true;
}

}  // namespace coppice::base
