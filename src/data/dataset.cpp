#include "coppice/data/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "coppice/base/error.hpp"
#include "coppice/importance/criterion.hpp"

#include "data/sample_numbers.hpp"

namespace coppice::data {

TensorDataset::TensorDataset(std::vector<at::Tensor> inputs, at::Tensor target)
    : inputs_(std::move(inputs)), target_(std::move(target)) {
  if (inputs_.empty()) throw Error("data: expected an input, found none");
  const auto check = [&](const at::Tensor& tensor) {
    if (tensor.dim() == 0 || tensor.size(0) == 0) throw Error("data: expected a first axis of samples, found none");
    if (tensor.size(0) != size())
      throw Error("data: expected " + std::to_string(size()) + " samples, as in the first input, found " +
                  std::to_string(tensor.size(0)));
  };
  for (const at::Tensor& input : inputs_) check(input);
  if (target_.defined()) check(target_);
}

Batch TensorDataset::gather(const at::Tensor& samples) const {
  Batch out;
  for (const at::Tensor& input : inputs_) out.inputs.push_back(input.index_select(0, samples));
  if (target_.defined()) out.target = target_.index_select(0, samples);
  return out;
}

Subset::Subset(DatasetPtr whole, std::vector<std::int64_t> samples) : whole_(std::move(whole)) {
  if (samples.empty()) throw Error("data: expected a sample or more, found none");
  for (const std::int64_t sample : samples) expect_sample(sample, whole_->size());
  samples_ = at::tensor(samples, at::kLong);
}

Batch Subset::gather(const at::Tensor& samples) const {
  return whole_->gather(samples_.index_select(0, samples));
}

DatasetPtr first_samples(DatasetPtr whole, std::int64_t most) {
  if (most >= whole->size()) return whole;
  std::vector<std::int64_t> samples(static_cast<std::size_t>(std::max<std::int64_t>(most, 0)));
  std::iota(samples.begin(), samples.end(), 0);
  return std::make_shared<Subset>(std::move(whole), std::move(samples));
}

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  std::vector<double> draws(out.size());
  for (std::size_t i = 0; i < draws.size(); ++i) draws[i] = importance::random_score(seed, 0, i);
  std::stable_sort(out.begin(), out.end(), [&](std::int64_t a, std::int64_t b) {
    return draws[static_cast<std::size_t>(a)] < draws[static_cast<std::size_t>(b)];
  });
  return out;
}

std::pair<DatasetPtr, DatasetPtr> hold_out(const DatasetPtr& whole, double fraction, std::uint64_t seed) {
  const std::int64_t size = whole->size();
  const auto aside = fraction > 0 && fraction < 1 ? std::llround(fraction * static_cast<double>(size)) : 0;
  if (aside < 1 || aside >= size)
    throw Error("held-out fraction: expected one that leaves samples on both sides of " + std::to_string(size) +
                ", found " + std::to_string(fraction));
  std::vector<std::int64_t> order = shuffled(size, seed);
  const auto middle = order.begin() + aside;
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  return {std::make_shared<Subset>(whole, std::vector<std::int64_t>(middle, order.end())),
          std::make_shared<Subset>(whole, std::vector<std::int64_t>(order.begin(), middle))};
}

}  // namespace coppice::data
