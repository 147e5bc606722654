#include "support/child_process.hpp"

#include <system_error>

#include <gtest/gtest.h>

namespace coppice::test {
namespace {

TEST(ChildProcess, AnswersLineByLine) {
  ChildProcess cat({"/bin/cat"});
  EXPECT_EQ(cat.ask("one", 10), "one");
  EXPECT_EQ(cat.ask("two", 10), "two");
}

TEST(ChildProcess, ReportsADeadProcess) {
  ChildProcess gone({"/bin/true"});
  EXPECT_EQ(gone.ask("anything", 10), std::nullopt);
}

TEST(ChildProcess, GivesUpOnASilentProcess) {
  ChildProcess silent({"/bin/sh", "-c", "exec sleep 30"});
  EXPECT_EQ(silent.ask("anything", 1), std::nullopt);
}

TEST(ChildProcess, RefusesAProgramThatIsNotThere) {
  EXPECT_THROW(ChildProcess({"/no/such/program"}), std::system_error);
}

}  // namespace
}  // namespace coppice::test
