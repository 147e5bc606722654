#include "cli/calibration_options.hpp"

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

}  // namespace coppice::cli
