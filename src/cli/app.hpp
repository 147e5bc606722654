#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace coppice::cli {

/// Wrong use of the program: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class TorchServices;

/// The program with all its commands; parsing a command line runs the command. One function a command, in a file of
/// its own, adds its options and what they do. Commands that need services throw HandOver without them.
std::unique_ptr<CLI::App> make_app(TorchServices* services);

void add_zoo(CLI::App& app);
void add_inspect(CLI::App& app, TorchServices* services);
void add_prune(CLI::App& app, TorchServices* services);
void add_run(CLI::App& app, TorchServices* services);
void add_verify(CLI::App& app, TorchServices* services);
void add_bench(CLI::App& app, TorchServices* services);
void add_train(CLI::App& app, TorchServices* services);
void add_finetune(CLI::App& app, TorchServices* services);
void add_evaluate(CLI::App& app, TorchServices* services);
void add_sensitivity(CLI::App& app, TorchServices* services);
void add_run_recipe(CLI::App& app, TorchServices* services);
void add_sparsify(CLI::App& app, TorchServices* services);
void add_pack(CLI::App& app);
void add_unpack(CLI::App& app);
void add_diff(CLI::App& app);
void add_completion(CLI::App& app);

/// The arguments as the app is to read them: `help COMMAND` is `COMMAND --help`, and what follows `--` can only be
/// names of files, so those that look like options get a folder in front.
std::vector<std::string> command_line(const CLI::App& app, int argc, char** argv);

/// Tries again to say what was meant: `unknown option --ratoi; nearest: --ratio`.
std::string explain_extras(const CLI::App& app);

}  // namespace coppice::cli
