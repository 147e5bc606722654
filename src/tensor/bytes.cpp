#include "coppice/tensor/bytes.hpp"

#include <atomic>
#include <cstring>
#include <mutex>

#include "coppice/base/mapped_file.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

struct Bytes::Later {
  std::function<Bytes()> make;
  std::once_flag once;
  std::atomic<bool> ready = false;  // `made` may be read
  Bytes made;
};

Bytes Bytes::copy(std::span<const std::byte> bytes) {
  Buffer buffer(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.span().data(), bytes.data(), bytes.size());
  return std::move(buffer).freeze();
}

Bytes Bytes::later(std::size_t size, std::function<Bytes()> make) {
  Bytes out;
  out.bytes_ = {static_cast<const std::byte*>(nullptr), size};
  out.later_ = std::make_shared<Later>();
  out.later_->make = std::move(make);
  return out;
}

std::span<const std::byte> Bytes::made() const {
  std::call_once(later_->once, [&] {
    later_->made = later_->make();
    later_->ready.store(true, std::memory_order_release);
  });
  return later_->made.span();
}

Bytes Bytes::now() const {
  if (!later_) return *this;
  return later_->ready.load(std::memory_order_acquire) ? later_->made : later_->make();
}

Bytes Bytes::slice(std::size_t offset, std::size_t size) const {
  if (!later_) return {owner_, bytes_.subspan(offset, size), residence_};
  const auto all = made();
  return {later_, all.subspan(offset, size)};
}

void prefetch(const Bytes& bytes) {
  if (bytes.streamed()) base::prefetch_pages(bytes.span());
}

void give_back(const Bytes& bytes) {
  if (bytes.streamed()) base::forget_pages(bytes.span());
}

}  // namespace coppice::tensor
