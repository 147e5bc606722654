#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/tensor/scores.hpp"

#include "tensor/checks.hpp"
#include "tensor/decode.hpp"
#include "tensor/gram_tile.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kBatch = 1024;  // tiles whose partial sums are held at a time

// The slices as rows of floats or doubles, in the tensor's own bytes where these already are such rows.
struct Slices {
  std::size_t count = 0, depth = 0;
  bool wide = false;
  const std::byte* data = nullptr;
  std::vector<float> narrow_copy;
  std::vector<double> wide_copy;

  std::size_t stride() const { return depth * (wide ? sizeof(double) : sizeof(float)); }
  const std::byte* row(std::size_t index) const { return data + index * stride(); }
};

// Types whose numbers, less a zero point of the same type, are exact in float.
bool fits_float(DType dtype) {
  return bit_width(dtype) <= 16 || dtype == DType::float32;
}

template <class T>
void copy_slices(const Tensor& weight, std::size_t axis, const ZeroPoint& zero, std::size_t inner,
                 std::vector<T>& out) {
  const auto elements = static_cast<std::size_t>(weight.elements());
  const auto extent = static_cast<std::size_t>(weight.shape[axis]);
  const std::size_t depth = elements / extent;
  std::size_t zero_inner = 1;
  for (std::size_t i = zero.axis + 1; i < weight.shape.size(); ++i) {
    zero_inner *= static_cast<std::size_t>(weight.shape[i]);
  }
  out.resize(elements);
  std::vector<double> run(inner);
  for (std::size_t first = 0; first < elements; first += inner) {
    decode(weight, static_cast<std::int64_t>(first), inner, run.data());
    const std::size_t block = first / inner;
    T* to = out.data() + block % extent * depth + block / extent * inner;
    for (std::size_t i = 0; i < inner; ++i) {
      const std::size_t which = zero.values.size() > 1 ? (first + i) / zero_inner % zero.values.size() : 0;
      to[i] = static_cast<T>(zero.values.empty() ? run[i] : run[i] - zero.values[which]);
    }
  }
}

Slices slice(const Tensor& weight, std::size_t axis, const ZeroPoint& zero) {
  Slices out;
  out.count = static_cast<std::size_t>(weight.shape[axis]);
  out.depth = static_cast<std::size_t>(weight.elements()) / out.count;
  out.wide = !fits_float(weight.dtype);
  std::size_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(weight.shape[i]);
  if (outer == 1 && zero.values.empty() && (weight.dtype == DType::float32 || weight.dtype == DType::float64)) {
    out.data = weight.bytes.data();
    return out;
  }
  if (out.wide) {
    copy_slices(weight, axis, zero, out.depth / outer, out.wide_copy);
    out.data = reinterpret_cast<const std::byte*>(out.wide_copy.data());
  } else {
    copy_slices(weight, axis, zero, out.depth / outer, out.narrow_copy);
    out.data = reinterpret_cast<const std::byte*>(out.narrow_copy.data());
  }
  return out;
}

// Added up as in gram_tile, so that the squared distance of equal slices is 0 and not a rounding error.
std::vector<double> squared_norms(const Slices& slices) {
  std::vector<double> out(slices.count);
  const auto add_up = [&]<class T>(std::size_t index, T value) {
    double sum = 0;
    for (std::size_t k = 0; k < slices.depth; ++k) {
      std::memcpy(&value, slices.row(index) + k * sizeof(T), sizeof(T));
      sum += static_cast<double>(value) * static_cast<double>(value);
    }
    out[index] = sum;
  };
  const std::size_t grain = std::max<std::size_t>(1, (std::size_t{1} << 17) / slices.depth);
  base::parallel_for(slices.count, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (slices.wide) {
        add_up(i, double{});
      } else {
        add_up(i, float{});
      }
    }
  });
  return out;
}

// Sums of distances along the rows and along the columns of one tile.
struct Partial {
  std::vector<double> rows, columns;
};

Partial tile_sums(const Slices& slices, std::span<const double> norms, std::size_t first_a, std::size_t first_b) {
  std::vector<double> gram(kGramTile * kGramTile);
  GramTile tile;
  tile.a = slices.row(first_a);
  tile.b = slices.row(first_b);
  tile.row_stride = slices.stride();
  tile.rows_a = std::min(kGramTile, slices.count - first_a);
  tile.rows_b = std::min(kGramTile, slices.count - first_b);
  tile.depth = slices.depth;
  tile.wide = slices.wide;
  tile.out = gram.data();
  gram_tile(tile);
  Partial out{std::vector<double>(tile.rows_a, 0.0), std::vector<double>(tile.rows_b, 0.0)};
  for (std::size_t i = 0; i < tile.rows_a; ++i) {
    for (std::size_t j = 0; j < tile.rows_b; ++j) {
      const double squared = norms[first_a + i] + norms[first_b + j] - 2 * gram[i * kGramTile + j];
      // Written so that NaN stays NaN while rounding below zero is cut off.
      const double distance = std::sqrt(squared < 0 ? 0.0 : squared);
      out.rows[i] += distance;
      out.columns[j] += distance;
    }
  }
  return out;
}

}  // namespace

std::vector<double> fpgm_scores(const Tensor& weight, std::size_t axis, const ZeroPoint& zero) {
  check_bytes("fpgm_scores", weight);
  check_axes("fpgm_scores", weight.shape, {&axis, 1});
  check_zero_point("fpgm_scores", weight.shape, zero.values.size(), zero.axis);
  if (!has_magnitude(weight.dtype)) {
    throw Error("fpgm_scores: expected numbers, found type " + std::string(name(weight.dtype)));
  }
  if (weight.elements() == 0) {
    // Sized by axis_power_sums, which knows how long an axis of an empty tensor may be.
    return std::move(axis_power_sums(weight, {&axis, 1}, 1).front());
  }
  const Slices slices = slice(weight, axis, zero);
  const auto norms = squared_norms(slices);
  std::vector<double> out(slices.count, 0.0);
  // The upper triangle of tiles in batches; their sums are added in the order of the tiles.
  std::vector<std::pair<std::size_t, std::size_t>> batch;
  std::vector<Partial> partials;
  const auto finish_batch = [&] {
    partials.resize(batch.size());
    base::parallel_for(batch.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) partials[i] = tile_sums(slices, norms, batch[i].first, batch[i].second);
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto [a, b] = batch[i];
      for (std::size_t k = 0; k < partials[i].rows.size(); ++k) out[a + k] += partials[i].rows[k];
      if (a == b) continue;
      for (std::size_t k = 0; k < partials[i].columns.size(); ++k) out[b + k] += partials[i].columns[k];
    }
    batch.clear();
  };
  for (std::size_t a = 0; a < slices.count; a += kGramTile) {
    for (std::size_t b = a; b < slices.count; b += kGramTile) {
      batch.emplace_back(a, b);
      if (batch.size() == kBatch) finish_batch();
    }
  }
  finish_batch();
  return out;
}

std::vector<double> fpgm_scores(const Tensor& weight, std::size_t axis) {
  return fpgm_scores(weight, axis, {});
}

}  // namespace coppice::tensor
