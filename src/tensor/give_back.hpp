#pragma once
#include <cstddef>
#include <span>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// Gives the pages of mapped bytes back once they have been read, neighbours in one call. Each thread has its own; what
/// another thread still reads of a shared page is fetched again.
class GiveBack {
 public:
  GiveBack() = default;
  ~GiveBack() { flush(); }
  GiveBack(const GiveBack&) = delete;
  GiveBack& operator=(const GiveBack&) = delete;

  /// Bytes [begin, end), which were read; nothing for bytes on the heap.
  void add(const Bytes& bytes, std::size_t begin, std::size_t end);
  void flush();

 private:
  Bytes file_;  // keeps what `pending_` lies in
  std::span<const std::byte> pending_;
};

}  // namespace coppice::tensor
