#include "cli/run_program.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include <unistd.h>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

enum Code : int { done = 0, failed = 1, bad_usage = 2 };

int complain(Code code, const std::string& message) {
  say(message);
  return code;
}

/// The hint after a usage error: where the right use is written.
int complain_usage(const CLI::App& app, const std::string& message) {
  const std::vector<CLI::App*> parsed =
      app.remaining().empty() ? app.get_subcommands() : std::vector<CLI::App*>();  // Before the command.
  const std::string command = parsed.empty() ? "" : parsed.front()->get_name() + " ";
  return complain(bad_usage, (command.empty() ? "" : command.substr(0, command.size() - 1) + ": ") + message +
                                 " (see coppice " + command + "--help)");
}

/// "--out: 1 required FILE missing" and "--ratio: At Most 1 required but received 2", in other words.
std::string mismatch(const std::string& message) {
  const std::string option = message.substr(0, message.find(':'));
  return option + (message.find("At Most") == std::string::npos ? ": expected a value" : ": given more than once");
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    std::vector<std::string> arguments = command_line(app, argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // The form that the parser wants.
    app.parse(arguments);
    if (argc <= 1) std::fputs(app.help().c_str(), stdout);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ExtrasError&) {
    return complain_usage(app, explain_extras(app));
  } catch (const CLI::RequiredError& error) {
    // A misspelt option is more to the point than what it may have left missing.
    return complain_usage(app, app.remaining(true).empty() ? error.what() : explain_extras(app));
  } catch (const CLI::ArgumentMismatch& error) {
    return complain_usage(app, mismatch(error.what()));
  } catch (const CLI::ParseError& error) {
    return complain_usage(app, error.what());
  } catch (const UsageError& error) {
    return complain_usage(app, error.what());
  }
  if (std::fflush(stdout) != 0) return complain(failed, "cannot write to the standard output");
  return done;
}

/// Becomes coppice-torch with the same arguments.
int hand_over(char** argv) {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::string beside = (self.parent_path() / "coppice-torch").string();
  std::fflush(stdout);
  if (!self.empty()) execv(beside.c_str(), argv);
  execvp("coppice-torch", argv);
  return complain(failed,
                  "this command needs the program coppice-torch, which was not found beside coppice or on the PATH; it "
                  "is built where libtorch is installed (Debian: libtorch-dev)");
}

/// Nothing half written stays behind an interrupted run.
void end_cleanly(int signal) {
  base::remove_unfinished_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

int run_program(int argc, char** argv, TorchServices* services) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, end_cleanly);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes an error of the write
  try {
    return run(*make_app(services), argc, argv);
  } catch (const HandOver&) {
    return hand_over(argv);
  } catch (const Error& error) {
    return complain(failed, error.what());
  } catch (const std::bad_alloc&) {
    return complain(failed, "out of memory");
  } catch (const std::exception& error) {
    return complain(failed, std::string("internal error: ") + error.what());
  }
}

}  // namespace coppice::cli
