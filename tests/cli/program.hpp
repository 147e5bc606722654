#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/scratch.hpp"

namespace coppice::test {

struct Outcome {
  int code = -1;  ///< Exit code; -1 when it was killed.
  std::string out, err;
  std::int64_t peak_bytes = 0;  ///< The most memory that it had at a time, pages of mapped files included.
};

/// Runs the built program with these arguments and waits for its end. Its standard error is no terminal.
Outcome run(const std::vector<std::string>& arguments);
/// The JSON object that it prints; fails the test when it ends with another code than 0 or prints anything else.
nlohmann::json run_json(std::vector<std::string> arguments);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);
bool exists(const std::string& path);

/// Path of a model of the zoo, written once for all tests of this process.
std::string zoo_file(const std::string& name);

}  // namespace coppice::test
