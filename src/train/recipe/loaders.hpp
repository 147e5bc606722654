#pragma once
#include "coppice/torch/calibration.hpp"
#include "coppice/train/recipe.hpp"

namespace coppice::recipe {

/// The data of a recipe, ready to go through.
struct Loaders {
  BatchSource training;  ///< Shuffled and augmented by the seed.
  BatchSource plain;     ///< The same samples as they are, in batches of the same size, shuffled.
  BatchSource held_out;  ///< Set aside, by the recipe's first seed, so that all seeds are told apart by the same.
  BatchSource test;      ///< Empty where the recipe names none.
};

Loaders make_loaders(const Data& data, std::uint64_t split_seed, std::uint64_t seed);

}  // namespace coppice::recipe
