#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace coppice::cli {

/// The samples that a criterion looks at, as written.
struct CalibrationArguments {
  std::string data;
  std::vector<double> mean, deviation;
  std::int64_t crop = 0;
  std::int64_t batch_size = 32;
  int batches = 0;
};

void add_calibration_options(CLI::App& command, CalibrationArguments& arguments, const std::string& group);

}  // namespace coppice::cli
