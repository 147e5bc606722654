#include "torch_cli/data.hpp"

#include "cli/output.hpp"

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

void say_skipped(const std::vector<std::string>& skipped) {
  if (skipped.empty()) return;
  say(skipped.size() == 1
          ? "skipped 1 damaged record: " + skipped.front()
          : "skipped " + std::to_string(skipped.size()) + " damaged records, the first: " + skipped.front());
}

}  // namespace coppice::cli
