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

inline constexpr const char* calibration_group = "Data, for criteria that look at it";

void add_calibration_options(CLI::App& command, CalibrationArguments& arguments,
                             const std::string& group = calibration_group);

/// The first option of a group that was given and is none of `allowed`; empty: none was.
std::string first_given(const CLI::App& command, const std::string& group,
                        const std::vector<std::string>& allowed = {});

}  // namespace coppice::cli
