#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

/// One line that says `text`.
void expect_refused(const std::vector<std::string>& arguments, int code, const std::string& text) {
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_NE(outcome.err.find(text), std::string::npos) << "expected " << text << " in " << outcome.err;
}

std::string plan_of(const Scratch& scratch, const std::string& model, const std::vector<std::string>& options = {}) {
  std::string path = scratch / "plan.json";
  std::vector<std::string> arguments{"prune", model, "--dry-run", "--ratio", "50%", "--plan-out", path};
  arguments.insert(arguments.end(), options.begin(), options.end());
  EXPECT_EQ(run(arguments).code, 0);
  return path;
}

TEST(Replay, OptionsThatDecideAreBadUsage) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp"), plan = plan_of(scratch, model);
  const std::vector<std::pair<std::string, std::string>> deciding{
      {"--ratio", "30%"},      {"--layer", "fc1=30%"}, {"--ignore", "fc1"},        {"--target-macs", "50%"},
      {"--round-to", "8"},     {"--min-units", "4"},   {"--target-params", "50%"}, {"--steps", "3"},
      {"--schedule", "cos"},   {"--context", "local"}, {"--criterion", "l2"},      {"--reduction", "sum"},
      {"--normalizer", "max"}, {"--seed", "7"}};
  for (const auto& [option, value] : deciding)
    expect_refused({"prune", model, "--dry-run", "--plan", plan, option, value}, 2, option);
}

TEST(Replay, AnotherLookAtTheModelIsRefused) {
  const Scratch scratch;
  const std::string model = zoo_file("gpt2_tiny"), plan = plan_of(scratch, model);
  const std::vector<std::string> replay{"prune", model, "--dry-run", "--plan", plan};
  const auto with = [&](const std::string& option, const std::string& value) {
    std::vector<std::string> out = replay;
    out.insert(out.end(), {option, value});
    return out;
  };
  expect_refused(with("--attention", "head-dim"), 1, "plan.json: made with --attention heads");
  expect_refused(with("--grouped-conv", "groups"), 1, "plan.json: made with --grouped-conv channels");
  expect_refused(with("--outputs", "logits"), 1, "plan.json: made with all outputs");
  EXPECT_EQ(run(with("--attention", "heads")).code, 0);
}

TEST(Replay, AnUnknownLookIsRefused) {
  const Scratch scratch;
  const std::string model = zoo_file("gpt2_tiny");
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"attention", "heads"}, {"grouped-conv", "groups"}}) {
    const std::string plan = plan_of(scratch, model, {"--" + option, value});
    std::string text = read_file(plan);
    const std::size_t at = text.find("\"" + value + "\"");
    ASSERT_NE(at, std::string::npos) << text.substr(0, 400);
    write_file(plan, text.replace(at, value.size() + 2, "\"blah\""));
    expect_refused({"prune", model, "--dry-run", "--plan", plan}, 1, "plan.json: " + option + ": expected");
  }
}

}  // namespace
}  // namespace coppice::test
