#include <unordered_map>

#include "coppice/sparsity/streamed.hpp"
#include "coppice/tensor/kernels.hpp"

#include "sparsity/selection.hpp"
#include "sparsity/streamed_count.hpp"

namespace coppice::sparsity {

Error stays_dense(std::size_t weight) {
  return Error("weight " + std::to_string(weight) + " stays dense");
}

void check_room(const Site& site, const tensor::Tensor& tensor, std::span<std::byte> out) {
  if (out.size() != tensor.bytes.size())
    throw Error(site.name + ": expected room for " + std::to_string(tensor.bytes.size()) + " bytes, found " +
                std::to_string(out.size()));
}

ZeroCount count_written(const Site& site, const tensor::Tensor& tensor, std::span<const std::byte> written) {
  const tensor::Tensor after{tensor.dtype, tensor.shape, tensor::Bytes(nullptr, written), nullptr};
  return {site.name, site.layer, tensor.elements(), tensor::count_zeros(tensor), tensor::count_zeros(after)};
}

StreamedMasks::StreamedMasks(std::vector<NamedWeight> weights, const MaskFile& masks)
    : weights_(std::move(weights)), masks_(masks) {
  std::unordered_map<std::string_view, std::size_t> by_name;
  for (std::size_t i = 0; i < weights_.size(); ++i) by_name.emplace(weights_[i].name, i);
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const Site& site = masks.site(i);
    const auto found = by_name.find(site.name);
    if (found == by_name.end()) throw no_such_weight(site);
    check_fits(site, weights_[found->second].tensor);
    parts_.emplace(found->second, i);
  }
}

std::vector<Site> StreamedMasks::sites() const {
  std::vector<Site> out;
  for (const auto& [weight, mask] : parts_) out.push_back(masks_.site(mask));
  return out;
}

ZeroCount StreamedMasks::zero(std::size_t weight, std::span<std::byte> out, tensor::Mask* mask) const {
  const auto found = parts_.find(weight);
  if (found == parts_.end()) throw stays_dense(weight);
  const Site& site = masks_.site(found->second);
  const tensor::Tensor& tensor = weights_[weight].tensor;
  check_room(site, tensor, out);
  tensor::Mask read = masks_.mask(found->second);
  apply_mask(read, tensor, out);
  if (mask) *mask = std::move(read);
  return count_written(site, tensor, out);
}

}  // namespace coppice::sparsity
