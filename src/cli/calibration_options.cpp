#include "cli/calibration_options.hpp"

#include <algorithm>

#include "cli/model_options.hpp"

namespace coppice::cli {

void add_calibration_options(CLI::App& command, CalibrationArguments& arguments, const std::string& group) {
  command.add_option("--data", arguments.data, "Samples: x.npy:y.npy, fashion-mnist:512 ... see docs/data.md")
      ->type_name("DATA")
      ->group(group);
  add_normalisation(command, arguments.mean, arguments.deviation, group);
  whole_number(command.add_option("--crop", arguments.crop, "Crop pictures to N pixels a side; 0: not at all"), 0,
               1000000)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  whole_number(command.add_option("--batches", arguments.batches, "Look at N batches only, 0 for all of the data"), 0,
               1000000000)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  whole_number(command.add_option("--batch-size", arguments.batch_size, "Samples a batch"), 1, 1000000)
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
}

std::string first_given(const CLI::App& command, const std::string& group, const std::vector<std::string>& allowed) {
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->get_group() == group && option->count() > 0 &&
        std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      return name;
  }
  return {};
}

}  // namespace coppice::cli
