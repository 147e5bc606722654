#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/patterns.hpp"

#include "tensor/checks.hpp"
#include "tensor/key_runs.hpp"
#include "tensor/magnitude_key.hpp"

namespace coppice::tensor {
namespace {

struct Layout {
  KeyGroups groups;
  std::int64_t block = 0, blocks = 0;
};

Layout layout(const Shape& shape, const KeepOf& pattern) {
  check_axes("keep N of M", shape, {&pattern.axis, 1});
  const std::int64_t extent = shape[pattern.axis];
  if (!(0 < pattern.keep && pattern.keep < pattern.of && extent % pattern.of == 0)) {
    throw Error("keep N of M: expected 0 < N < M and M to divide " + std::to_string(extent) + ", found " +
                std::to_string(pattern.keep) + ":" + std::to_string(pattern.of));
  }
  Layout out;
  if (element_count(shape) == 0) return out;  // axes may be of any length
  std::int64_t inner = 1;
  for (std::size_t i = pattern.axis + 1; i < shape.size(); ++i) inner *= shape[i];
  out.groups = {static_cast<std::size_t>(pattern.keep), static_cast<std::size_t>(pattern.of),
                static_cast<std::size_t>(inner)};
  out.block = pattern.of * inner;
  out.blocks = out.block == 0 ? 0 : element_count(shape) / out.block;
  return out;
}

// Pieces begin with a word of a mask: body(first element, elements, elements to do at a time).
void for_each_piece(const Layout& layout,
                    const std::function<void(std::int64_t first, std::int64_t count, std::int64_t step)>& body) {
  constexpr std::int64_t wanted = 1 << 16, at_a_time = 1 << 12;
  const std::int64_t grain = std::max<std::int64_t>(64, wanted / std::max<std::int64_t>(1, layout.block) / 64 * 64);
  const std::int64_t step = std::max<std::int64_t>(1, at_a_time / std::max<std::int64_t>(1, layout.block));
  base::parallel_for(static_cast<std::size_t>(layout.blocks), static_cast<std::size_t>(grain),
                     [&](std::size_t begin, std::size_t end) {
                       body(static_cast<std::int64_t>(begin) * layout.block,
                            static_cast<std::int64_t>(end - begin) * layout.block, step * layout.block);
                     });
}

// Whether some key is above the limit.
bool beyond(KeyRun run, std::int64_t limit) {
  alignas(64) std::byte inside[kScratchKeys * 8];
  const std::size_t count = run.count;
  for (std::size_t at = 0; at < count; at += kMostKeys, run.data += kMostKeys * run.width) {
    run.count = std::min(kMostKeys, count - at);
    if (scan_keys(run, -1, -1, limit, inside).beyond) return true;
  }
  return false;
}

[[noreturn]] void refuse(std::string_view name, const char* what, std::int64_t index) {
  throw Error(std::string(name) + ": expected numbers, found NaN as " + what + " " + std::to_string(index));
}

void check_magnitudes(std::string_view name, const Tensor& tensor) {
  check_bytes("keep N of M", tensor);
  if (!is_real(tensor.dtype)) {
    throw Error(std::string(name) + ": expected floating-point weights, found " +
                std::string(coppice::tensor::name(tensor.dtype)));
  }
}

[[noreturn]] void refuse_first(std::string_view name, const Tensor& tensor) {
  std::int64_t i = 0;
  while (!std::isnan(element_as_double(tensor, i))) ++i;
  refuse(name, "weight", i);
}

void mark_bits(const std::byte* marks, std::size_t width, std::int64_t first, std::size_t count, Mask& mask) {
  std::uint64_t words[kMostKeys / 64];
  for (std::size_t at = 0; at < count; at += kMostKeys) {
    const std::size_t some = std::min(kMostKeys, count - at);
    mask_keys({marks + at * width, some, width}, 1, words);
    put_bits(mask.words.data(), first + static_cast<std::int64_t>(at), words, some);
  }
}

Mask none_stay(std::int64_t elements) {
  return {elements, std::vector<std::uint64_t>(static_cast<std::size_t>((elements + 63) / 64), 0)};
}

}  // namespace

void zero_keep_of(std::string_view name, const Tensor& tensor, const KeepOf& pattern, std::span<std::byte> out) {
  check_magnitudes(name, tensor);
  const Layout plan = layout(tensor.shape, pattern);
  if (out.size() != tensor.bytes.size()) {
    throw Error("keep N of M: expected " + std::to_string(tensor.bytes.size()) + " bytes to write, found " +
                std::to_string(out.size()));
  }
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
  const std::byte* const data = tensor.bytes.data();
  // Where the tensor itself changes it must be found whole first.
  const bool in_place = data == out.data();
  std::atomic<bool> found{false};
  const auto look = [&](std::int64_t first, std::int64_t count) {
    const KeyRun run{data + static_cast<std::size_t>(first) * width, static_cast<std::size_t>(count), width};
    if (beyond(run, infinity_key(tensor.dtype))) found = true;
  };
  if (in_place) for_each_piece(plan, [&](std::int64_t first, std::int64_t count, std::int64_t) { look(first, count); });
  if (found) refuse_first(name, tensor);
  for_each_piece(plan, [&](std::int64_t first, std::int64_t count, std::int64_t step) {
    for (std::int64_t at = first; at < first + count; at += step) {
      const std::int64_t some = std::min(step, first + count - at);
      if (!in_place) look(at, some);
      const std::size_t place = static_cast<std::size_t>(at) * width;
      keep_largest({data + place, static_cast<std::size_t>(some), width}, plan.groups, false, out.data() + place);
    }
    give_back(tensor.bytes.slice(static_cast<std::size_t>(first) * width, static_cast<std::size_t>(count) * width));
  });
  if (found) refuse_first(name, tensor);
}

Mask mask_keep_of(std::string_view name, const Tensor& tensor, const KeepOf& pattern) {
  check_magnitudes(name, tensor);
  const Layout plan = layout(tensor.shape, pattern);
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
  Mask out = none_stay(tensor.elements());
  std::atomic<bool> found{false};
  for_each_piece(plan, [&](std::int64_t first, std::int64_t count, std::int64_t step) {
    std::vector<std::byte> marks(static_cast<std::size_t>(step) * width);
    for (std::int64_t at = first; at < first + count; at += step) {
      const auto some = static_cast<std::size_t>(std::min(step, first + count - at));
      const KeyRun run{tensor.bytes.data() + static_cast<std::size_t>(at) * width, some, width};
      if (beyond(run, infinity_key(tensor.dtype))) found = true;
      keep_largest(run, plan.groups, true, marks.data());
      mark_bits(marks.data(), width, at, some, out);
    }
  });
  if (found) refuse_first(name, tensor);
  return out;
}

Mask mask_keep_of(const Scores& scores, const Shape& shape, const KeepOf& pattern) {
  const Layout plan = layout(shape, pattern);
  if (scores.size != element_count(shape)) {
    throw Error(scores.name + ": expected " + std::to_string(element_count(shape)) + " scores, found " +
                std::to_string(scores.size));
  }
  Mask out = none_stay(scores.size);
  std::atomic<std::int64_t> nan{std::numeric_limits<std::int64_t>::max()};  // the first
  for_each_piece(plan, [&](std::int64_t first, std::int64_t count, std::int64_t step) {
    std::vector<double> values(static_cast<std::size_t>(step));
    std::vector<std::int64_t> keys(values.size()), marks(values.size());
    for (std::int64_t at = first; at < first + count; at += step) {
      const auto some = static_cast<std::size_t>(std::min(step, first + count - at));
      scores.read(at, {values.data(), some});
      for (std::size_t i = 0; i < some; ++i) {
        if (std::isnan(values[i])) {
          const std::int64_t here = at + static_cast<std::int64_t>(i);
          for (std::int64_t known = nan; here < known && !nan.compare_exchange_weak(known, here);) {
          }
        }
        keys[i] = score_key(values[i]);
      }
      const KeyRun run{reinterpret_cast<const std::byte*>(keys.data()), some, 8, false};
      keep_largest(run, plan.groups, true, reinterpret_cast<std::byte*>(marks.data()));
      mark_bits(reinterpret_cast<const std::byte*>(marks.data()), 8, at, some, out);
    }
  });
  if (nan != std::numeric_limits<std::int64_t>::max()) refuse(scores.name, "score", nan);
  return out;
}

}  // namespace coppice::tensor
