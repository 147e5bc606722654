#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "coppice/data/loader.hpp"

namespace coppice::data {

inline void save(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// All samples in one batch, as they are kept.
inline Batch whole(const DatasetPtr& dataset) {
  return dataset->gather(at::arange(dataset->size(), at::kLong));
}

/// The batches of an epoch.
inline std::vector<Batch> batches(const DatasetPtr& dataset, const LoaderOptions& options) {
  std::vector<Batch> out;
  Loader(dataset, options).for_each(0, 0, [&](Batch batch) {
    out.push_back(std::move(batch));
    return true;
  });
  return out;
}

inline at::Tensor bytes(const std::vector<std::int64_t>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kLong).to(at::kByte).reshape(shape);
}

}  // namespace coppice::data
