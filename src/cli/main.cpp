#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"

namespace {

enum Code : int { done = 0, failed = 1, bad_usage = 2 };

int complain(Code code, const std::string& message) {
  coppice::cli::say(message);
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
    std::vector<std::string> arguments = coppice::cli::command_line(app, argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // The form that the parser wants.
    app.parse(arguments);
    if (argc <= 1) std::fputs(app.help().c_str(), stdout);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ExtrasError&) {
    return complain_usage(app, coppice::cli::explain_extras(app));
  } catch (const CLI::RequiredError& error) {
    // A misspelt option is more to the point than what it may have left missing.
    return complain_usage(app, app.remaining(true).empty() ? error.what() : coppice::cli::explain_extras(app));
  } catch (const CLI::ArgumentMismatch& error) {
    return complain_usage(app, mismatch(error.what()));
  } catch (const CLI::ParseError& error) {
    return complain_usage(app, error.what());
  } catch (const coppice::cli::UsageError& error) {
    return complain_usage(app, error.what());
  }
  if (std::fflush(stdout) != 0) return complain(failed, "cannot write to the standard output");
  return done;
}

}  // namespace

/// Nothing half written stays behind an interrupted run.
extern "C" void end_cleanly(int signal) {
  coppice::base::remove_unfinished_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

int main(int argc, char** argv) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, end_cleanly);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes an error of the write
  try {
    return run(*coppice::cli::make_app(), argc, argv);
  } catch (const coppice::Error& error) {
    return complain(failed, error.what());
  } catch (const std::bad_alloc&) {
    return complain(failed, "out of memory");
  } catch (const std::exception& error) {
    return complain(failed, std::string("internal error: ") + error.what());
  }
}
