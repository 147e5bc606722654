#include "torch_cli/data.hpp"

#include "cli/output.hpp"
#include "train/recipe/loaders.hpp"

namespace coppice::cli {

recipe::Data data_of(const DataArguments& arguments) {
  return {.training = arguments.data,
          .batch_size = arguments.batch_size,
          .workers = arguments.workers,
          .mean = arguments.mean,
          .deviation = arguments.deviation,
          .crop = arguments.crop,
          .skip_damaged = arguments.skip_damaged};
}

Calibration calibration_of(const CalibrationArguments& arguments, std::uint64_t seed) {
  const recipe::Data described{.batch_size = arguments.batch_size,
                               .mean = arguments.mean,
                               .deviation = arguments.deviation,
                               .crop = arguments.crop};
  const data::DatasetPtr dataset = recipe::read_dataset(arguments.data, data::Part::training, described);
  return {.data = recipe::plain(dataset, described, seed), .batches = arguments.batches, .seed = seed};
}

void say_skipped(const std::vector<std::string>& skipped) {
  if (skipped.empty()) return;
  say(skipped.size() == 1
          ? "skipped 1 damaged record: " + skipped.front()
          : "skipped " + std::to_string(skipped.size()) + " damaged records, the first: " + skipped.front());
}

}  // namespace coppice::cli
