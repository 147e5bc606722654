#include "tensor/give_back.hpp"

#include <algorithm>

#include "coppice/base/mapped_file.hpp"

namespace coppice::tensor {
namespace {
constexpr std::size_t gap = std::size_t{1} << 16, most = std::size_t{1} << 19;
}  // namespace

void GiveBack::add(const Bytes& bytes, std::size_t begin, std::size_t end) {
  end = std::min(end, bytes.size());
  if (!bytes.mapped() || begin >= end) return;
  const std::span<const std::byte> more = bytes.span().subspan(begin, end - begin);
  const std::byte* const stop = pending_.data() + pending_.size();
  const bool near =
      !pending_.empty() && file_.same_owner(bytes) && more.data() >= pending_.data() && more.data() <= stop + gap;
  if (near) {
    pending_ = {pending_.data(), std::max(stop, more.data() + more.size())};
  } else {
    flush();
    pending_ = more;
    file_ = bytes;
  }
  if (pending_.size() >= most) flush();
}

void GiveBack::flush() {
  if (!pending_.empty()) base::forget_pages(pending_);
  pending_ = {};
}

}  // namespace coppice::tensor
