#include "train/recipe/loaders.hpp"

#include "coppice/data/loader.hpp"
#include "coppice/data/read.hpp"

namespace coppice::recipe {
namespace {

constexpr std::int64_t evaluation_batch = 500;

}  // namespace

Loaders make_loaders(const Data& data, std::uint64_t split_seed, std::uint64_t seed) {
  const auto [training, held_out] = data::hold_out(data::read(data.training), data.held_out, split_seed);
  std::vector<data::Transform> always, augmenting;
  if (!data.mean.empty() || !data.deviation.empty()) always.push_back(data::normalize(data.mean, data.deviation));
  if (data.random_shift > 0) augmenting.push_back(data::random_shift(data.random_shift));
  if (data.random_flip) augmenting.push_back(data::random_flip());
  augmenting.insert(augmenting.end(), always.begin(), always.end());
  const data::LoaderOptions in_order{
      .batch_size = evaluation_batch, .shuffled = false, .workers = data.workers, .transforms = always};
  Loaders out;
  out.training = data::Loader(
      training,
      {.batch_size = data.batch_size, .seed = seed, .workers = data.workers, .transforms = std::move(augmenting)});
  out.plain = data::Loader(training, {.batch_size = data.batch_size, .seed = seed, .transforms = always});
  out.held_out = data::Loader(held_out, in_order);
  if (!data.test.empty()) out.test = data::Loader(data::read(data.test, data::Part::test), in_order);
  return out;
}

}  // namespace coppice::recipe
