#include <algorithm>
#include <cmath>
#include <functional>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/tensor/patterns.hpp"

#include "tensor/decode.hpp"

namespace coppice::tensor {
namespace {

// Walks the rows of the last axis: row(first element, unit of that element, step of the unit along the row).
class Walk {
 public:
  explicit Walk(const Units& units) : units_(units), steps_(units.shape.size(), 0) {
    if (element_count(units.shape) == 0) return;
    std::int64_t step = 1;
    for (std::size_t axis = units.shape.size(); axis-- > 0;) {
      if (units.together[axis]) continue;
      steps_[axis] = step;
      step *= units.shape[axis];
    }
  }

  std::int64_t row_length() const { return units_.shape.empty() ? 1 : units_.shape.back(); }
  std::int64_t step() const { return steps_.empty() ? 0 : steps_.back(); }
  std::int64_t rows() const { return row_length() == 0 ? 0 : element_count(units_.shape) / row_length(); }
  std::int64_t unit(std::int64_t row) const {
    std::int64_t out = 0;
    for (std::size_t axis = units_.shape.size(); axis-- > 1;) {
      const std::int64_t extent = units_.shape[axis - 1];
      out += row % extent * steps_[axis - 1];
      row /= extent;
    }
    return out;
  }

 private:
  const Units& units_;
  std::vector<std::int64_t> steps_;
};

void check(const Units& units, std::int64_t elements) {
  if (units.together.size() != units.shape.size() || element_count(units.shape) != elements) {
    throw Error("units: expected a view of " + std::to_string(elements) + " elements, found " + to_string(units.shape));
  }
}

void add_rows(const Tensor& tensor, const Walk& walk, std::int64_t begin, std::int64_t end, int power, double* sums) {
  constexpr std::int64_t most = 1024;
  double values[most];
  const std::int64_t length = walk.row_length(), step = walk.step();
  for (std::int64_t row = begin; row < end; ++row) {
    double* to = sums + walk.unit(row);
    for (std::int64_t at = 0; at < length; at += most) {
      const std::int64_t some = std::min(most, length - at);
      decode(tensor, row * length + at, static_cast<std::size_t>(some), values);
      for (std::int64_t i = 0; i < some; ++i)
        to[(at + i) * step] += power == 1 ? std::fabs(values[i]) : values[i] * values[i];
    }
  }
}

}  // namespace

// Axes of a tensor without elements may be of any length.
std::int64_t Units::count() const {
  if (element_count(shape) == 0) return 0;
  std::int64_t out = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (!together[axis]) out *= shape[axis];
  return out;
}

std::int64_t Units::size() const {
  if (element_count(shape) == 0) return 0;
  std::int64_t out = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (together[axis]) out *= shape[axis];
  return out;
}

std::vector<double> unit_power_sums(const Tensor& tensor, const Units& units, int power) {
  check(units, tensor.elements());
  if (!has_magnitude(tensor.dtype) || (power != 1 && power != 2))
    throw Error("units: expected numbers and a power of 1 or 2, found " + std::string(name(tensor.dtype)));
  const Walk walk(units);
  const auto count = static_cast<std::size_t>(units.count());
  std::vector<double> out(count);
  // Parts of a fixed number have sums of their own, so that the order of additions is the same for all threads.
  const std::int64_t parts = std::clamp<std::int64_t>(tensor.elements() >> 17, 1, 16), rows = walk.rows();
  std::vector<std::vector<double>> sums(static_cast<std::size_t>(parts));
  base::parallel_for(sums.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = begin; part < end; ++part) {
      sums[part].resize(count);
      const auto p = static_cast<std::int64_t>(part);
      add_rows(tensor, walk, rows * p / parts, rows * (p + 1) / parts, power, sums[part].data());
    }
  });
  for (const std::vector<double>& part : sums)
    for (std::size_t i = 0; i < count; ++i) out[i] += part[i];
  return out;
}

Mask unit_mask(const Units& units, const std::vector<bool>& drop) {
  if (units.together.size() != units.shape.size() || static_cast<std::int64_t>(drop.size()) != units.count())
    throw Error("units: expected " + std::to_string(units.count()) + " of them, found " + std::to_string(drop.size()));
  Mask out = Mask::all(element_count(units.shape));
  const Walk walk(units);
  const std::int64_t length = walk.row_length(), step = walk.step();
  for (std::int64_t row = 0; row < walk.rows(); ++row) {
    const std::int64_t unit = walk.unit(row);
    for (std::int64_t i = 0; i < length; ++i)
      if (drop[static_cast<std::size_t>(unit + i * step)]) out.drop(row * length + i);
  }
  return out;
}

}  // namespace coppice::tensor
