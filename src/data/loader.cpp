#include "coppice/data/loader.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "coppice/base/error.hpp"

#include "data/ahead.hpp"

namespace coppice::data {
namespace {

at::Tensor as_real(const at::Tensor& tensor, at::ScalarType real) {
  if (tensor.scalar_type() == at::kByte) return tensor.to(real).div_(255);
  return tensor.is_floating_point() ? tensor.to(real) : tensor;
}

}  // namespace

Loader::Loader(DatasetPtr dataset, LoaderOptions options) : dataset_(std::move(dataset)), options_(std::move(options)) {
  if (options_.batch_size < 1)
    throw Error("data: expected a batch of 1 sample or more, found " + std::to_string(options_.batch_size));
  if (options_.workers < 0) throw Error("data: expected 0 workers or more, found " + std::to_string(options_.workers));
  if (batches() == 0)
    throw Error("data: expected a batch of " + std::to_string(options_.batch_size) + " samples or more, found " +
                std::to_string(dataset_->size()) + " samples");
}

std::int64_t Loader::batches() const {
  const std::int64_t size = dataset_->size(), batch = options_.batch_size;
  return options_.drop_last ? size / batch : (size + batch - 1) / batch;
}

Batch Loader::fetch(const at::Tensor& order, std::int64_t epoch, std::int64_t batch) const {
  const at::NoGradGuard no_gradients;
  const std::int64_t begin = batch * options_.batch_size;
  Batch out = dataset_->gather(order.narrow(0, begin, std::min(options_.batch_size, order.size(0) - begin)));
  for (at::Tensor& input : out.inputs) input = as_real(input, options_.real);
  if (out.target.defined() && out.target.is_floating_point()) out.target = out.target.to(options_.real);
  Draws draws(options_.seed, epoch, batch);
  for (const Transform& transform : options_.transforms) out.inputs.at(0) = transform(out.inputs.at(0), draws);
  return out;
}

void Loader::for_each(std::int64_t epoch, std::int64_t first, const std::function<bool(Batch)>& callback) const {
  const std::int64_t last = batches();
  // Epoch 0 is in the seed's own order.
  const at::Tensor order =
      options_.shuffled ? at::tensor(shuffled(dataset_->size(),
                                              options_.seed + static_cast<std::uint64_t>(epoch) * 0x9e3779b97f4a7c15),
                                     at::kLong)
                        : at::arange(dataset_->size(), at::kLong);
  const auto fetch_batch = [&](std::int64_t batch) { return fetch(order, epoch, batch); };
  std::optional<Ahead> ahead;
  if (options_.workers > 0 && first < last) ahead.emplace(fetch_batch, first, last, options_.workers);
  for (std::int64_t batch = first; batch < last; ++batch)
    if (!callback(ahead ? ahead->next() : fetch_batch(batch))) return;
}

}  // namespace coppice::data
