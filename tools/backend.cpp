#include <cstdio>
#include <exception>

#include "support/backend_suite.hpp"

// Prints docs/backend.md: how ONNX's backend tests fare. With an argument, the cases that fail instead.
int main(int argc, char**) {
  using namespace coppice;
  try {
    if (!backend::is_installed()) {
      std::fprintf(stderr, "libonnx-testdata is not in %s\n", backend::default_folder);
      return 1;
    }
    const auto exceptions = backend::read_exceptions(COPPICE_SOURCE_FOLDER "/tests/torch/backend_exceptions.txt");
    const auto results = backend::run_all();
    if (argc == 1) {
      std::fputs(backend::page(results, exceptions).c_str(), stdout);
      return 0;
    }
    for (const backend::Result& result : results)
      if (!result.problem.empty())
        std::printf("%s (%s): %s\n", result.name.c_str(), result.group.c_str(), result.problem.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
