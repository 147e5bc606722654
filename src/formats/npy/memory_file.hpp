#pragma once
#include <cstddef>
#include <span>

#include <minizip/ioapi.h>

namespace coppice::formats::npy_detail {

/// Bytes in memory as a file that minizip reads.
class MemoryFile {
 public:
  /// `bytes` must outlive this, and this what reads it.
  explicit MemoryFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  zlib_filefunc64_def functions();

 private:
  static voidpf open(voidpf self, const void* name, int mode);
  static uLong read(voidpf self, voidpf stream, void* to, uLong size);
  static ZPOS64_T tell(voidpf self, voidpf stream);
  static long seek(voidpf self, voidpf stream, ZPOS64_T offset, int origin);

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool ended_ = false;  ///< The last read got less than it asked for.
};

}  // namespace coppice::formats::npy_detail
