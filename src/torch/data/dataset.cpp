#include "torch/data/dataset.hpp"

#include <algorithm>
#include <numeric>

#include "coppice/base/error.hpp"
#include "coppice/importance/criterion.hpp"

namespace coppice::data {
namespace {

at::Tensor as_real(const at::Tensor& tensor, at::ScalarType real) {
  if (tensor.scalar_type() == at::kByte) return tensor.to(real) / 255;
  return tensor.is_floating_point() ? tensor.to(real) : tensor;
}

/// What BatchSource goes through.
class Walk {
 public:
  Walk(std::shared_ptr<const Dataset> dataset, const Order& order) : dataset_(std::move(dataset)), order_(order) {
    std::vector<std::int64_t> places(static_cast<std::size_t>(dataset_->size()));
    std::iota(places.begin(), places.end(), 0);
    if (order.shuffled) {
      std::vector<double> draws(places.size());
      for (std::size_t i = 0; i < draws.size(); ++i) draws[i] = importance::random_score(order.seed, 0, i);
      std::stable_sort(places.begin(), places.end(), [&](std::int64_t a, std::int64_t b) {
        return draws[static_cast<std::size_t>(a)] < draws[static_cast<std::size_t>(b)];
      });
    }
    places_ = at::tensor(places, at::kLong);
  }

  class Iterator {
   public:
    Iterator(const Walk* walk, std::int64_t at) : walk_(walk), at_(at) {}
    Batch operator*() const { return walk_->batch(at_); }
    Iterator& operator++() {
      at_ = std::min(at_ + walk_->order_.batch_size, walk_->dataset_->size());
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Walk* walk_;
    std::int64_t at_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, dataset_->size()}; }

 private:
  Batch batch(std::int64_t at) const {
    const std::int64_t size = std::min(order_.batch_size, dataset_->size() - at);
    return dataset_->gather(places_.narrow(0, at, size), order_.real);
  }

  std::shared_ptr<const Dataset> dataset_;
  Order order_;
  at::Tensor places_;
};

}  // namespace

Dataset::Dataset(std::vector<at::Tensor> inputs, at::Tensor target)
    : inputs_(std::move(inputs)), target_(std::move(target)) {}

Batch Dataset::gather(const at::Tensor& indices, at::ScalarType real) const {
  Batch out;
  for (const at::Tensor& input : inputs_) out.inputs.push_back(as_real(input.index_select(0, indices), real));
  if (target_.defined()) {
    const at::Tensor target = target_.index_select(0, indices);
    out.target = target.is_floating_point() ? target.to(real) : target;
  }
  return out;
}

BatchSource batches(std::shared_ptr<const Dataset> dataset, const Order& order) {
  if (order.batch_size < 1)
    throw Error("data: expected a batch of 1 sample or more, found " + std::to_string(order.batch_size));
  return Walk(std::move(dataset), order);
}

}  // namespace coppice::data
