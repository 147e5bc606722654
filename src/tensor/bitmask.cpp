#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/filled.hpp"

#include "tensor/nonzero_bits.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t grain_elements = std::size_t{1} << 16;
// Bytes read at a time, before their pages are given back.
constexpr std::size_t window = std::size_t{4} << 20;

std::size_t grain_of(std::size_t columns) {
  return std::max<std::size_t>(1, grain_elements / std::max<std::size_t>(1, columns));
}

/// Up to eight bytes of bits, the first lowest.
std::uint64_t word_at(const std::byte* bits, std::size_t bytes) {
  std::uint64_t out = 0;
  std::memcpy(&out, bits, bytes);
  return out;
}

std::int64_t number_at(const std::byte* numbers, std::size_t i) {
  std::int64_t out;
  std::memcpy(&out, numbers + i * sizeof out, sizeof out);
  return out;
}

/// Elements that a row's bits ask for; the bits behind its end must be 0.
std::int64_t ones(const std::byte* bits, std::size_t bytes, std::size_t columns, std::size_t row) {
  std::int64_t out = 0;
  for (std::size_t at = 0; at < bytes; at += 8)
    out += std::popcount(word_at(bits + at, std::min<std::size_t>(8, bytes - at)));
  if (columns % 8 != 0 && (std::to_integer<unsigned>(bits[bytes - 1]) >> (columns % 8)) != 0)
    throw Error("row " + std::to_string(row) + " of the bits: expected zeros behind its " + std::to_string(columns) +
                " elements");
  return out;
}

template <std::size_t width>
void expand(const std::byte* bits, std::size_t bytes, const std::byte* values, std::byte* out) {
  for (std::size_t at = 0; at < bytes; at += 8, out += 64 * width) {
    for (std::uint64_t word = word_at(bits + at, std::min<std::size_t>(8, bytes - at)); word != 0; word &= word - 1) {
      std::memcpy(out + static_cast<std::size_t>(std::countr_zero(word)) * width, values, width);
      values += width;
    }
  }
}

void expand(std::size_t width, const std::byte* bits, std::size_t bytes, const std::byte* values, std::byte* out) {
  if (width == 1) return expand<1>(bits, bytes, values, out);
  if (width == 2) return expand<2>(bits, bytes, values, out);
  if (width == 4) return expand<4>(bits, bytes, values, out);
  expand<8>(bits, bytes, values, out);
}

}  // namespace

Rows rows_of(std::span<const std::int64_t> shape) {
  const std::int64_t elements = element_count(shape);
  if (elements == 0) return {0, 0};
  if (shape.size() < 2) return {1, elements};
  return {shape[0], elements / shape[0]};
}

void write_bitmask(const Tensor& tensor, const Rows& rows, std::span<std::byte> bits, std::span<std::int64_t> before) {
  if (!can_leave_out(tensor.dtype)) throw Error("zeros of " + std::string(name(tensor.dtype)) + " cannot be left out");
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
  const auto columns = static_cast<std::size_t>(rows.columns), bytes = static_cast<std::size_t>(rows.row_bytes());
  const Bytes data = tensor.bytes.now();
  base::parallel_for(static_cast<std::size_t>(rows.rows), grain_of(columns), [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint64_t> words((columns + 63) / 64);
    std::size_t given = begin * columns * width;
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t first = row * columns * width;
      nonzero_bits(data.data() + first, columns, width, ~std::uint64_t{0}, words.data());
      std::memcpy(bits.data() + row * bytes, words.data(), bytes);
      std::int64_t filled = 0;
      for (const std::uint64_t word : words) filled += std::popcount(word);
      before[row] = filled;
      if (const std::size_t done = first + columns * width; done - given >= window || row + 1 == end) {
        give_back(data.slice(given, done - given));
        given = done;
      }
    }
  });
  std::int64_t sum = 0;
  for (std::int64_t& number : before) number = std::exchange(sum, sum + number);
}

void expand_bitmask(std::span<const std::byte> bits, std::span<const std::byte> before,
                    std::span<const std::byte> values, const Rows& rows, std::size_t width, std::span<std::byte> out) {
  const auto count = static_cast<std::size_t>(rows.rows), columns = static_cast<std::size_t>(rows.columns);
  const auto bytes = static_cast<std::size_t>(rows.row_bytes());
  const auto filled = static_cast<std::int64_t>(values.size() / width);
  if (count == 0 && filled != 0) throw Error("expected no values, found " + std::to_string(filled));
  if (count > 0 && number_at(before.data(), 0) != 0)
    throw Error("row 0: expected 0 values before it, found " + std::to_string(number_at(before.data(), 0)));
  base::parallel_for(count, grain_of(columns), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const std::byte* const mask = bits.data() + row * bytes;
      const std::int64_t from = number_at(before.data(), row);
      const std::int64_t to = row + 1 < count ? number_at(before.data(), row + 1) : filled;
      const std::int64_t wanted = ones(mask, bytes, columns, row);
      if (from < 0 || to > filled || to < from || to - from != wanted)
        throw Error("row " + std::to_string(row) + ": expected " + std::to_string(wanted) +
                    " values, as many as it has bits, found those from " + std::to_string(from) + " to " +
                    std::to_string(to) + " of " + std::to_string(filled));
      std::byte* const target = out.data() + row * columns * width;
      std::memset(target, 0, columns * width);
      expand(width, mask, bytes, values.data() + static_cast<std::size_t>(from) * width, target);
    }
  });
}

}  // namespace coppice::tensor
