#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

#include <sys/mman.h>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;

// Touching fresh memory in pages of 4 KiB costs more than the copy that fills it, so large blocks come from the system
// in large pages where it grants them. Only whole ones: the rest of the block stays in small pages and wastes nothing.
std::shared_ptr<std::byte[]> map_large(std::size_t size) {
  const std::size_t reserved = size + kHugePage;
  void* const start = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  const std::size_t past = reinterpret_cast<std::uintptr_t>(start) % kHugePage;
  auto* const block = static_cast<std::byte*>(start) + (past == 0 ? 0 : kHugePage - past);
#ifdef MADV_HUGEPAGE
  ::madvise(block, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return {block, [start, reserved](std::byte*) { ::munmap(start, reserved); }};
}

}  // namespace

Buffer::Buffer(std::size_t size) : size_(size) {
  if (size >= kHugePage && size <= std::numeric_limits<std::size_t>::max() / 2) {
    data_ = map_large(size);
    return;
  }
  const std::size_t rounded = (size + 63) / 64 * 64;
  auto* block = static_cast<std::byte*>(std::aligned_alloc(64, rounded == 0 ? 64 : rounded));
  if (!block) throw std::bad_alloc();
  data_ = std::shared_ptr<std::byte[]>(block, [](std::byte* at) { std::free(at); });
}

}  // namespace coppice::tensor
