#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include <gtest/gtest.h>

#include "support/backend_suite.hpp"

/// ONNX's backend tests: each passes, or stands on a list with its reason.
namespace coppice {
namespace {

TEST(Backend, PassesOrSaysWhyNot) {
  if (!backend::is_installed()) {
    const char* required = std::getenv("COPPICE_REQUIRE_REFEREE");
    if (required && std::string(required) == "1") FAIL() << "libonnx-testdata is not in " << backend::default_folder;
    GTEST_SKIP() << "libonnx-testdata is not in " << backend::default_folder;
  }
  const auto exceptions = backend::read_exceptions(COPPICE_SOURCE_FOLDER "/tests/torch/backend_exceptions.txt");
  const std::vector<backend::Result> results = backend::run_all();
  std::size_t passed = 0, listed = 0;
  for (const backend::Result& result : results) {
    const bool excepted = exceptions.contains(result.name);
    listed += excepted;
    passed += result.problem.empty();
    if (result.problem.empty()) {
      EXPECT_FALSE(excepted) << result.name << " passes, but is listed: " << exceptions.at(result.name);
    } else {
      EXPECT_TRUE(excepted) << result.name << ": " << result.problem;
    }
  }
  EXPECT_EQ(listed, exceptions.size()) << "a listed case does not exist";
  std::cout << passed << " of " << results.size() << " backend tests pass, " << listed << " are listed\n";
  EXPECT_GE(passed, 800U);

  std::ifstream in(COPPICE_SOURCE_FOLDER "/docs/backend.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(page == backend::page(results, exceptions)) << "docs/backend.md is out of date";
}

}  // namespace
}  // namespace coppice
