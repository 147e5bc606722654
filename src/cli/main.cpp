#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

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
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  const std::string command = parsed.empty() ? "" : parsed.front()->get_name() + " ";
  return complain(bad_usage, (command.empty() ? "" : command.substr(0, command.size() - 1) + ": ") + message +
                                 " (see coppice " + command + "--help)");
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    if (argc <= 1) std::fputs(app.help().c_str(), stdout);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ExtrasError&) {
    return complain_usage(app, coppice::cli::explain_extras(app));
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
