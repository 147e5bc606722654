#include "formats/npy/memory_file.hpp"

#include <algorithm>
#include <cstring>

namespace coppice::formats::npy_detail {

zlib_filefunc64_def MemoryFile::functions() {
  zlib_filefunc64_def out{};
  out.zopen64_file = open;
  out.zread_file = read;
  out.zwrite_file = [](voidpf, voidpf, const void*, uLong) -> uLong { return 0; };
  out.ztell64_file = tell;
  out.zseek64_file = seek;
  out.zclose_file = [](voidpf, voidpf) { return 0; };
  // minizip takes an end in the middle of a number for a zero unless it is told of an error.
  out.zerror_file = [](voidpf self, voidpf) { return static_cast<MemoryFile*>(self)->ended_ ? 1 : 0; };
  out.opaque = this;
  return out;
}

voidpf MemoryFile::open(voidpf self, const void*, int) {
  return self;
}

uLong MemoryFile::read(voidpf self, voidpf, void* to, uLong size) {
  auto& file = *static_cast<MemoryFile*>(self);
  const std::size_t count = std::min<std::size_t>(size, file.bytes_.size() - file.at_);
  if (count > 0) std::memcpy(to, file.bytes_.data() + file.at_, count);
  file.at_ += count;
  file.ended_ = count < size;
  return count;
}

ZPOS64_T MemoryFile::tell(voidpf self, voidpf) {
  return static_cast<MemoryFile*>(self)->at_;
}

long MemoryFile::seek(voidpf self, voidpf, ZPOS64_T offset, int origin) {
  auto& file = *static_cast<MemoryFile*>(self);
  const std::size_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? file.at_
                           : origin == ZLIB_FILEFUNC_SEEK_END ? file.bytes_.size()
                                                              : 0;
  if (offset > file.bytes_.size() - base) return -1;
  file.at_ = base + static_cast<std::size_t>(offset);
  return 0;
}

}  // namespace coppice::formats::npy_detail
