#pragma once
#include <string>
#include <vector>

#include "coppice/data/loader.hpp"
#include "coppice/data/read.hpp"
#include "coppice/torch/calibration.hpp"
#include "coppice/train/recipe.hpp"

namespace coppice::recipe {

/// The data of a recipe as they are kept.
struct Datasets {
  data::DatasetPtr training, held_out;
  data::DatasetPtr test;             ///< None where the recipe names none.
  std::vector<std::string> skipped;  ///< See data::Dataset::skipped(), of all.
};

/// The samples that are set aside are drawn by `split_seed`.
Datasets read_datasets(const Data& data, std::uint64_t split_seed);
/// What one text names; damaged records are handled as the recipe says.
data::DatasetPtr read_dataset(const std::string& text, data::Part part, const Data& data);

/// Samples as they are measured on, neither shuffled nor augmented.
data::Loader in_order(data::DatasetPtr dataset, const Data& data, std::int64_t batch_size);

/// Samples to calibrate on: shuffled by the seed, but not augmented.
data::Loader plain(data::DatasetPtr dataset, const Data& data, std::uint64_t seed);

/// The data of a recipe, ready to go through.
struct Loaders {
  BatchSource training;  ///< Shuffled and augmented by the seed.
  BatchSource plain;     ///< The same samples as they are, in batches of the same size, shuffled.
  BatchSource held_out;  ///< Set aside, by the recipe's first seed, so that all seeds are told apart by the same.
  BatchSource test;      ///< Empty where the recipe names none.
};

Loaders make_loaders(const Datasets& datasets, const Data& data, std::uint64_t seed);

}  // namespace coppice::recipe
