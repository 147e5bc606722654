#include "train/recipe/loaders.hpp"

#include <tuple>

#include "coppice/base/error.hpp"

namespace coppice::recipe {
namespace {

constexpr std::int64_t evaluation_batch = 500;

data::Transform augmenting_crop(const Data& data) {
  return data.random_scale > 0 ? data::random_resized_crop(data.crop, data.random_scale) : data::random_crop(data.crop);
}

std::vector<data::Transform> transforms(const Data& data, bool augmented) {
  std::vector<data::Transform> out;
  if (data.random_scale != 0 && data.crop == 0)
    throw Error("random scale: expected a crop, whose share of the picture it draws, found none");
  if (data.crop != 0) out.push_back(augmented ? augmenting_crop(data) : data::centre_crop(data.crop));
  if (augmented && data.random_shift > 0) out.push_back(data::random_shift(data.random_shift));
  if (augmented && data.random_flip) out.push_back(data::random_flip());
  if (!data.mean.empty() || !data.deviation.empty()) out.push_back(data::normalize(data.mean, data.deviation));
  return out;
}

}  // namespace

data::DatasetPtr read_dataset(const std::string& text, data::Part part, const Data& data) {
  return data::read(text, part, data.skip_damaged ? data::Damaged::skipped : data::Damaged::refused);
}

Datasets read_datasets(const Data& data, std::uint64_t split_seed) {
  Datasets out;
  const data::DatasetPtr training = read_dataset(data.training, data::Part::training, data);
  std::tie(out.training, out.held_out) = data::hold_out(training, data.held_out, split_seed);
  out.skipped = training->skipped();
  if (data.test.empty()) return out;
  out.test = read_dataset(data.test, data::Part::test, data);
  for (std::string& what : out.test->skipped()) out.skipped.push_back(std::move(what));
  return out;
}

data::Loader in_order(data::DatasetPtr dataset, const Data& data, std::int64_t batch_size) {
  return data::Loader(
      std::move(dataset),
      {.batch_size = batch_size, .shuffled = false, .workers = data.workers, .transforms = transforms(data, false)});
}

data::Loader plain(data::DatasetPtr dataset, const Data& data, std::uint64_t seed) {
  return data::Loader(std::move(dataset),
                      {.batch_size = data.batch_size, .seed = seed, .transforms = transforms(data, false)});
}

Loaders make_loaders(const Datasets& datasets, const Data& data, std::uint64_t seed) {
  Loaders out;
  out.training = data::Loader(
      datasets.training,
      {.batch_size = data.batch_size, .seed = seed, .workers = data.workers, .transforms = transforms(data, true)});
  out.plain = plain(datasets.training, data, seed);
  out.held_out = in_order(datasets.held_out, data, evaluation_batch);
  if (datasets.test) out.test = in_order(datasets.test, data, evaluation_batch);
  return out;
}

}  // namespace coppice::recipe
