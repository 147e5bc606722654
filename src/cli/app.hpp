#pragma once
#include <memory>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

namespace coppice::cli {

/// Wrong use of the program: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The program with all its commands; parsing a command line runs the command. One function a command, in a file of
/// its own, adds its options and what they do.
std::unique_ptr<CLI::App> make_app();

void add_zoo(CLI::App& app);
void add_inspect(CLI::App& app);
void add_prune(CLI::App& app);
void add_diff(CLI::App& app);
void add_completion(CLI::App& app);

/// Tries again to say what was meant: `unknown option --ratoi; nearest: --ratio`.
std::string explain_extras(const CLI::App& app);

}  // namespace coppice::cli
