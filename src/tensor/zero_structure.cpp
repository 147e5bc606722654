#include "coppice/tensor/zero_structure.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/checks.hpp"
#include "tensor/group_counts.hpp"
#include "tensor/nonzero_bits.hpp"
#include "tensor/zero_bits.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 14;       // elements of one row at a time
constexpr std::size_t kGrainBytes = std::size_t{1} << 22;  // of a share of the work
constexpr std::size_t kWidestRow = std::size_t{1} << 22;   // elements, for counting columns

/// What some pieces of rows hold.
struct Found {
  std::size_t zeros = 0;
  GroupCounts most{};
  std::vector<std::uint64_t> columns;  ///< One bit an element of a row: whether any row has something there.

  void add(const Found& other) {
    zeros += other.zeros;
    for (std::size_t k = 0; k < most.size(); ++k) most[k] = std::max(most[k], other.most[k]);
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] |= other.columns[i];
  }
};

class Pass {
 public:
  explicit Pass(const Tensor& tensor)
      : tensor_(tensor),
        mask_(zero_bits("zero_structure", tensor, {})[0].mask),
        width_(static_cast<std::size_t>(bit_width(tensor.dtype)) / 8),
        rows_(static_cast<std::size_t>(tensor.shape[0])),
        row_(static_cast<std::size_t>(tensor.elements()) / rows_),
        pieces_((row_ + kPiece - 1) / kPiece),
        filled_((rows_ + 63) / 64) {
    if (row_ <= kWidestRow) all_.columns.resize((row_ + 63) / 64);
  }

  ZeroStructure run() {
    const std::size_t piece_bytes = std::min(row_, kPiece) * width_;
    const std::size_t grain = std::max<std::size_t>(1, kGrainBytes / piece_bytes);
    base::parallel_for(rows_ * pieces_, grain, [&](std::size_t begin, std::size_t end) { share(begin, end); });
    return result();
  }

 private:
  // Every one of most[] is as large as it can be: a row without zeros taught that.
  static bool full(const GroupCounts& most) {
    for (std::size_t k = 0; k < most.size(); ++k)
      if (most[k] < zero_group_sizes[k]) return false;
    return true;
  }

  std::size_t first_element(std::size_t piece) const {
    return std::min(piece / pieces_ * row_ + piece % pieces_ * kPiece, rows_ * row_);
  }

  void share(std::size_t begin, std::size_t end) {
    Found found;
    found.columns.resize(all_.columns.size());
    for (std::size_t piece = begin; piece < end; ++piece) add_piece(piece, found);
    const std::size_t from = first_element(begin), to = first_element(end);
    give_back(tensor_.bytes.slice(from * width_, (to - from) * width_));
    const std::lock_guard lock(mutex_);
    all_.add(found);
  }

  void add_piece(std::size_t piece, Found& found) {
    const std::size_t row = piece / pieces_, in_row = piece % pieces_ * kPiece;
    const std::size_t count = std::min(kPiece, row_ - in_row);
    std::array<std::uint64_t, kPiece / 64> buffer;
    const std::span<std::uint64_t> words(buffer.data(), (count + 63) / 64);
    nonzero_bits(tensor_.bytes.data() + (row * row_ + in_row) * width_, count, width_, mask_, words.data());
    std::size_t ones = 0;
    for (const std::uint64_t word : words) ones += static_cast<std::size_t>(std::popcount(word));
    found.zeros += count - ones;
    if (ones > 0) filled_[row / 64].fetch_or(std::uint64_t{1} << row % 64, std::memory_order_relaxed);
    if (!full(found.most)) raise_group_counts(words, found.most);
    if (!found.columns.empty()) {
      std::uint64_t* const columns = found.columns.data() + in_row / 64;
      for (std::size_t i = 0; i < words.size(); ++i) columns[i] |= words[i];
    }
  }

  ZeroStructure result() const {
    ZeroStructure out;
    out.zeros = static_cast<std::int64_t>(all_.zeros);
    for (std::size_t k = 0; k < out.most.size(); ++k)
      if (tensor_.shape.back() % zero_group_sizes[k] == 0) out.most[k] = all_.most[k];
    std::int64_t filled_rows = 0;
    for (const auto& word : filled_) filled_rows += std::popcount(word.load());
    out.zero_rows = static_cast<std::int64_t>(rows_) - filled_rows;
    if (all_.columns.empty()) return out;
    const auto columns = static_cast<std::size_t>(tensor_.shape[1]), inner = row_ / columns;
    out.zero_columns = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      bool filled = false;
      for (std::size_t i = c * inner; i < (c + 1) * inner && !filled; ++i) filled = all_.columns[i / 64] >> i % 64 & 1;
      *out.zero_columns += filled ? 0 : 1;
    }
    return out;
  }

  const Tensor& tensor_;
  std::uint64_t mask_;
  std::size_t width_, rows_, row_, pieces_;
  std::vector<std::atomic<std::uint64_t>> filled_;  ///< One bit a row: whether it has something.
  std::mutex mutex_;
  Found all_;
};

}  // namespace

ZeroStructure zero_structure(const Tensor& tensor) {
  check_bytes("zero_structure", tensor);
  if (tensor.shape.size() < 2 || tensor.elements() == 0 || !elements_of_whole_bytes(tensor.dtype)) {
    ZeroStructure out;
    out.zeros = count_zeros(tensor);
    return out;
  }
  return Pass(tensor).run();
}

}  // namespace coppice::tensor
