#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/calibration_options.hpp"
#include "cli/model_options.hpp"

namespace coppice::cli {

class TorchServices;

/// `coppice impact`, as written.
struct ImpactArguments {
  std::string model, test, metric = "accuracy", loss, device;
  std::vector<std::string> methods;  ///< Empty: the usual ones.
  CalibrationArguments calibration;
  double seconds = 3;
  std::uint64_t seed = 0;
  ModelOptions common;
  bool json = false, csv = false, markdown = false;
};

void add_impact(CLI::App& app, TorchServices* services);

}  // namespace coppice::cli
