#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace coppice::base {

/// Writes a file beside its target under a temporary name; commit() renames it into place. Destroyed without commit(),
/// it removes the temporary file and leaves the target untouched. What exists keeps its permissions; a symbolic link
/// stays, and what it leads to is replaced. All functions throw Error with the path on failure, the constructor also
/// where the path is a folder, a device or the like.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Large blocks go straight to the file, small ones are gathered.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Bytes written so far.
  std::uint64_t position() const { return position_; }

  /// Flushes and closes the temporary file, without renaming; a failure can still be undone for every file of a set.
  void finish();
  /// finish() and rename onto the target.
  void commit();

  const std::string& path() const { return path_; }

 private:
  void flush();
  void write_through(std::span<const std::byte> bytes);

  std::string path_, target_, temporary_, buffer_;
  std::size_t slot_ = 0;
  int fd_ = -1;
  std::uint64_t position_ = 0;
  bool committed_ = false;
};

/// Removes the temporary files of all AtomicFile that are not committed. For signal handlers that end the process.
void remove_unfinished_files() noexcept;

}  // namespace coppice::base
