#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/decode.hpp"
#include "tensor/gather_layout.hpp"
#include "tensor/give_back.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 18;
constexpr std::size_t kPieceElements = 4096;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kShared = std::size_t{1} << 21;  // results below this size share a block

// Neighbouring indices that are neighbours in the source too: they move together.
struct Run {
  std::size_t from = 0, to = 0, count = 0;  // in units of the last cut axis
};

std::vector<Run> find_runs(std::span<const std::int64_t> indices, std::size_t longest) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto from = static_cast<std::size_t>(indices[i]);
    if (!runs.empty() && runs.back().from + runs.back().count == from && runs.back().count < longest) {
      ++runs.back().count;
    } else {
      runs.push_back({from, i, 1});
    }
  }
  return runs;
}

// Most runs are a few dozen bytes (the kernel of one channel), where the call of memcpy would cost more than the copy.
inline void copy_run(std::byte* to, const std::byte* from, std::size_t size) {
  if (size > 256) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    for (std::size_t i = 0; i + 16 < size; i += 16) __builtin_memcpy(to + i, from + i, 16);
    __builtin_memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    __builtin_memcpy(to, from, 8);
    __builtin_memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    __builtin_memcpy(to, from, 4);
    __builtin_memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

template <class T>
void copy_elements(std::byte* to, const std::byte* from, std::span<const std::uint32_t> indices) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    __builtin_memcpy(to + i * sizeof(T), from + indices[i] * sizeof(T), sizeof(T));
  }
}

// The copying of one tensor, cut into items that may run in any order: every row of the layout in `pieces` pieces.
class Job {
 public:
  explicit Job(const GatherRequest& request);
  bool copies() const { return layout_.any_cut && source_.dtype != DType::string && layout_.elements != 0; }
  std::size_t result_bytes() const { return byte_size(source_.dtype, layout_.elements); }
  std::size_t items() const { return copies() ? layout_.rows * pieces_ : 0; }
  /// The bytes of an item, on average.
  std::size_t item_bytes() const { return result_bytes() / items() + 1; }
  void write_to(std::span<std::byte> out) { out_ = out; }
  void run(std::size_t begin, std::size_t end) const;
  Tensor finish(Bytes bytes) const;
  /// Gives back the pages that items [begin, end) were read from.
  bool streamed() const { return source_.bytes.streamed(); }
  void give_back(std::size_t begin, std::size_t end, GiveBack& to) const {
    if (source_.bytes.mapped()) to.add(source_.bytes, source_offset(begin), source_offset(end));
  }

 private:
  std::size_t source_offset(std::size_t item) const;
  void run_pieces(std::size_t row, std::size_t start, std::size_t first, std::size_t end) const;
  void run_nibbles() const;
  Tensor gather_strings() const;
  template <class Body>
  void for_each_element(const Body& body) const;

  const Tensor& source_;
  GatherLayout layout_;
  std::span<std::byte> out_;
  std::size_t unit_ = 0;  // bytes of a unit of the last cut axis; 0 for packed elements that share bytes
  std::size_t pieces_ = 1;
  std::vector<Run> runs_;               // either these are copied,
  std::vector<std::uint32_t> indices_;  // or single elements of 1, 2, 4 or 8 bytes
};

Job::Job(const GatherRequest& request) : source_(*request.tensor), layout_(*request.tensor, request.kept) {
  // A list may repeat indices, so the result is not bounded by the source.
  if (!base::checked_mul(layout_.elements, 16)) {
    throw Error("gather_axes: result of shape " + to_string(layout_.result) + " is too large");
  }
  if (!copies()) return;
  const std::size_t unit_bits = layout_.inner * static_cast<std::size_t>(bit_width(source_.dtype));
  if (unit_bits % 8 != 0) return;
  unit_ = unit_bits / 8;
  const auto kept = layout_.kept[layout_.last];
  runs_ = find_runs(kept, std::max<std::size_t>(1, kPieceBytes / unit_));
  const bool narrow = layout_.source[layout_.last] <= std::int64_t{1} << 31;
  const bool element = unit_ == 1 || unit_ == 2 || unit_ == 4 || unit_ == 8;
  if (narrow && element && layout_.kept_last * unit_ / runs_.size() < 32) {
    runs_.clear();
    indices_.assign(kept.begin(), kept.end());
    pieces_ = (indices_.size() + kPieceElements - 1) / kPieceElements;
  } else {
    pieces_ = runs_.size();
  }
}

// Where the source of an item begins; the end of the source for the end of the items.
std::size_t Job::source_offset(std::size_t item) const {
  if (item >= items()) return source_.bytes.size();
  if (unit_ == 0) return 0;
  const std::size_t piece = item % pieces_;
  const std::size_t first = indices_.empty() ? runs_[piece].from : indices_[piece * kPieceElements];
  return (GatherCursor(layout_, item / pieces_).start() + first) * unit_;
}

void Job::run(std::size_t begin, std::size_t end) const {
  if (unit_ == 0) return run_nibbles();
  std::size_t row = begin / pieces_, piece = begin % pieces_;
  GatherCursor cursor(layout_, row);
  for (std::size_t item = begin; item < end; ++row, piece = 0) {
    const std::size_t stop = std::min(pieces_, piece + (end - item));
    item += stop - piece;
    run_pieces(row, cursor.start(), piece, stop);
    if (item < end) cursor.advance();
  }
}

void Job::run_pieces(std::size_t row, std::size_t start, std::size_t first, std::size_t end) const {
  std::byte* to = out_.data() + row * layout_.kept_last * unit_;
  const std::byte* const from = source_.bytes.data() + start * unit_;
  if (indices_.empty()) {
    for (; first < end; ++first) {
      const Run& run = runs_[first];
      copy_run(to + run.to * unit_, from + run.from * unit_, run.count * unit_);
    }
    return;
  }
  const std::size_t begin = first * kPieceElements, stop = std::min(indices_.size(), end * kPieceElements);
  const auto indices = std::span(indices_).subspan(begin, stop - begin);
  to += begin * unit_;
  switch (unit_) {
    case 1:
      return copy_elements<std::uint8_t>(to, from, indices);
    case 2:
      return copy_elements<std::uint16_t>(to, from, indices);
    case 4:
      return copy_elements<std::uint32_t>(to, from, indices);
    default:
      return copy_elements<std::uint64_t>(to, from, indices);
  }
}

// For elements without a byte address of their own: calls body(source element) in the order of the result.
template <class Body>
void Job::for_each_element(const Body& body) const {
  GatherCursor cursor(layout_, 0);
  for (std::size_t row = 0; row < layout_.rows; ++row, cursor.advance()) {
    for (const std::int64_t index : layout_.kept[layout_.last]) {
      const std::size_t first = (cursor.start() + static_cast<std::size_t>(index)) * layout_.inner;
      for (std::size_t i = 0; i < layout_.inner; ++i) body(first + i);
    }
  }
}

void Job::run_nibbles() const {
  std::memset(out_.data(), 0, out_.size());
  std::size_t to = 0;
  for_each_element([&](std::size_t at) {
    const unsigned value = nibble(source_.bytes.data(), static_cast<std::int64_t>(at));
    out_[to / 2] |= static_cast<std::byte>(to % 2 == 0 ? value : value << 4);
    ++to;
  });
}

Tensor Job::gather_strings() const {
  std::vector<std::string> out;
  if (layout_.elements != 0) for_each_element([&](std::size_t at) { out.push_back((*source_.strings)[at]); });
  return {source_.dtype, layout_.result, {}, std::make_shared<const std::vector<std::string>>(std::move(out))};
}

Tensor Job::finish(Bytes bytes) const {
  if (!layout_.any_cut) return source_;
  if (source_.dtype == DType::string) return gather_strings();
  return {source_.dtype, layout_.result, std::move(bytes), nullptr};
}

// Gives every job its place: large results blocks of their own, the others parts of one block. Fresh memory is dear
// (the system hands it out zeroed, page by page), and a large block comes in large pages.
std::vector<Bytes> place(std::vector<Job>& jobs) {
  const auto padded = [](std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; };
  std::size_t total = 0;
  for (const Job& job : jobs) {
    if (job.copies() && job.result_bytes() < kShared) total += padded(job.result_bytes());
  }
  Buffer shared(total);
  const std::span<std::byte> shared_span = shared.span();
  const Bytes shared_bytes = std::move(shared).freeze();
  std::vector<Bytes> out(jobs.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!jobs[i].copies()) continue;
    const std::size_t size = jobs[i].result_bytes();
    if (size < kShared) {
      jobs[i].write_to(shared_span.subspan(at, size));
      out[i] = shared_bytes.slice(at, size);
      at += padded(size);
    } else {
      Buffer own(size);
      jobs[i].write_to(own.span());
      out[i] = std::move(own).freeze();
    }
  }
  return out;
}

}  // namespace

std::vector<Tensor> gather_axes(std::span<const GatherRequest> requests, Reading reading) {
  std::vector<Job> jobs;
  jobs.reserve(requests.size());
  for (const auto& request : requests) jobs.emplace_back(request);
  std::vector<Bytes> bytes = place(jobs);

  // Shares of about kShare bytes: many small tensors together, or a part of a large one.
  struct Part {
    std::size_t job, begin, end;
  };
  constexpr std::size_t kShare = std::size_t{1} << 19;
  std::vector<Part> parts;
  std::vector<std::size_t> shares{0};
  std::size_t weight = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const std::size_t items = jobs[i].items();
    for (std::size_t item = 0; item < items;) {
      const std::size_t room = std::max<std::size_t>(1, (kShare - weight) / jobs[i].item_bytes());
      const std::size_t end = std::min(items, item + room);
      parts.push_back({i, item, end});
      weight += (end - item) * jobs[i].item_bytes();
      item = end;
      if (weight + jobs[i].item_bytes() <= kShare) continue;
      shares.push_back(parts.size());
      weight = 0;
    }
  }
  if (shares.back() != parts.size()) shares.push_back(parts.size());
  base::parallel_for(shares.size() - 1, 1, [&](std::size_t begin, std::size_t end) {
    GiveBack back;
    for (std::size_t i = shares[begin]; i < shares[end]; ++i) {
      const Job& job = jobs[parts[i].job];
      job.run(parts[i].begin, parts[i].end);
      if (reading == Reading::last || job.streamed()) job.give_back(parts[i].begin, parts[i].end, back);
    }
  });

  std::vector<Tensor> out;
  out.reserve(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) out.push_back(jobs[i].finish(std::move(bytes[i])));
  return out;
}

Tensor gather_later(const Tensor& tensor, const std::vector<AxisIndices>& kept) {
  const GatherRequest request{&tensor, kept};
  const Job job(request);
  if (!job.copies()) return job.finish({});
  struct Source {
    Tensor tensor;
    std::vector<std::pair<std::size_t, std::vector<std::int64_t>>> kept;
  };
  const auto source = std::make_shared<Source>(Source{tensor, {}});
  for (const auto& [axis, indices] : kept) source->kept.emplace_back(axis, std::vector(indices.begin(), indices.end()));
  return job.finish(Bytes::later(job.result_bytes(), [source] {
    std::vector<AxisIndices> lists;
    for (const auto& [axis, indices] : source->kept) lists.push_back({axis, indices});
    return gather_axes(source->tensor, lists).bytes;
  }));
}

Tensor gather_axes(const Tensor& tensor, const std::vector<AxisIndices>& kept) {
  const GatherRequest request{&tensor, kept};
  return std::move(gather_axes(std::span(&request, 1)).front());
}

}  // namespace coppice::tensor
