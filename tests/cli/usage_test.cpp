#include <sstream>

#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

const std::vector<std::string> commands{"zoo", "inspect", "prune", "sparsify", "diff", "completion"};

std::size_t columns(const std::string& line) {
  std::size_t out = 0;
  for (const char c : line) out += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return out;
}

void expect_fits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80u) << line;
}

TEST(Usage, HelpIsPrintedWithoutACommand) {
  const Outcome bare = run({}), asked = run({"--help"});
  EXPECT_EQ(bare.code, 0);
  EXPECT_EQ(bare.err, "");
  EXPECT_EQ(bare.out, asked.out);
  for (const std::string& command : commands) EXPECT_NE(bare.out.find("\n  " + command + " "), std::string::npos);
  expect_fits(bare.out);
}

TEST(Usage, EveryCommandHasHelpWithExamples) {
  for (const std::string& command : commands) {
    const Outcome help = run({command, "--help"});
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_NE(help.out.find("Usage: coppice " + command), std::string::npos) << help.out;
    EXPECT_NE(help.out.find("\nExamples:\n  coppice " + command), std::string::npos) << help.out;
    expect_fits(help.out);
  }
}

TEST(Usage, HelpIsACommandToo) {
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help", "prune"}).out, run({"prune", "--help"}).out);
}

TEST(Usage, WhatHasNoEffectIsRefused) {
  const std::string mlp = zoo_file("mlp");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"prune", mlp, "--ratio", "10%", "--batches", "2"},
       "--batches has no effect: the criterion looks at the weights"},
      {{"prune", mlp, "--ratio", "10%", "--device", "cpu"},
       "--device has no effect: the criterion looks at the weights"},
      {{"prune", mlp, "--ratio", "10%", "--loss", "mse"}, "--loss has no effect: the criterion looks at the weights"},
      {{"prune", mlp, "--ratio", "10%", "--criterion", "activation_norm", "--data", "x.npy", "--loss", "mse"},
       "--loss has no effect: the criterion does not look at gradients"},
      {{"prune", mlp, "--plan", "plan.json", "--crop", "8"}, "it cannot be combined with --crop"},
      {{"prune", mlp, "--plan", "plan.json", "--device", "cpu"}, "it cannot be combined with --device"},
      {{"sparsify", mlp, "--sparsity", "10%", "--batch-size", "2"},
       "--batch-size has no effect: the criterion looks at the weights"},
      {{"sparsify", mlp, "--masks", "masks.safetensors", "--mean", "1"}, "it cannot be combined with --mean"},
      {{"impact", mlp, "--batches", "2"}, "--batches has no effect without --data or --test"}};
  for (auto [arguments, expected] : cases) {
    if (arguments.front() != "impact") arguments.emplace_back("--dry-run");
    const Outcome refused = run(arguments);
    EXPECT_EQ(refused.code, 2) << expected;
    EXPECT_NE(refused.err.find(expected), std::string::npos) << refused.err;
  }
}

TEST(Usage, NumbersAreDecimal) {
  const auto rounded = [](const std::string& to) {
    return run_json({"prune", zoo_file("mlp"), "--dry-run", "--ratio", "33%", "--round-to", to})["params"];
  };
  EXPECT_EQ(rounded("010"), rounded("10"));
  EXPECT_NE(rounded("010"), rounded("8"));
}

TEST(Usage, HelpNamesTheDefaults) {
  const std::string help = run({"prune", "--help"}).out;
  EXPECT_NE(help.find("(default local)"), std::string::npos);
  EXPECT_NE(help.find("(default large_final)"), std::string::npos);
}

TEST(Usage, VersionIsOneLine) {
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out, "coppice " COPPICE_VERSION "\n");
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string says;
};

TEST(Usage, BadUsageEndsWithTwoAndOneLine) {
  const std::vector<Wrong> cases{
      {{"prnue", "m.onnx"}, "did you mean prune?"},
      {{"--verison"}, "did you mean --version?"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratoi", "30%"}, "did you mean --ratio?"},
      {{"prune", "-o", "o.onnx", "--ratio", "30%"}, "MODEL"},
      {{"prune", "m.onnx", "-o", "o.onnx"}, "--ratio"},
      {{"prune", "m.onnx", "--ratio", "30%"}, "-o FILE is missing"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--criterion", "size"}, "large_final"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--context", "lokal"}, "isomorphic"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--attention", "tails"}, "head-dim"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--steps", "0"}, "--steps"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--plan", "p.json"}, "--plan"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--layer", "conv1"}, "NAME=VALUE"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--shape", "x=1x-3"}, "--shape"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--threads", "-2"}, "--threads"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--twin", "o.onnx"}, "same file"},
      {{"zoo", "resnet18"}, "-o FILE is missing"},
      {{"zoo", "-o", "r18.onnx"}, "NAME"},
      {{"diff", "a.onnx"}, "B"},
      {{"inspect"}, "MODEL"},
      {{"inspect", "a.onnx", "b.onnx"}, "b.onnx"},
      {{"completion", "csh"}, "bash"},
      {{"--json", "zoo"}, "unknown option --json before the command"},
      {{"foo", "zoo"}, "unknown command \"foo\""},
      {{"help", "prnue"}, "unknown command \"prnue\""},
      {{"inspect", "--jsn"}, "did you mean --json?"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--", "--ratio"}, "unexpected argument \"./--ratio\""},
      {{"zoo", "mlp", "-o", "o.onnx", "--seed", "18446744073709551616"}, "--seed: expected a whole number"},
      {{"zoo", "mlp", "-o", "o.onnx", "--seed", "-1"}, "--seed: expected a whole number"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--seed", "0x10"}, "--seed: expected a whole number"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--steps", "1000000000000"}, "--steps: expected"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--min-units", "0"}, "--min-units: expected"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--plan-out", ""}, "--plan-out: expected a file name"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--ratio", "30%", "--twin", ""}, "--twin: expected a file name"},
      {{"prune", "m.onnx", "-o", "o.onnx", "--plan", ""}, "--plan: expected a file name"},
      {{"prune", "m.onnx", "-o", "", "--ratio", "30%"}, "--out: expected a file name"},
      {{"inspect", ""}, "MODEL: expected a file name"},
      {{"prune", "m.onnx", "--ratio", "30%", "--out="}, "--out: expected a value"},
      {{"prune", "m.onnx", "--ratio", "30%", "--ratio", "20%"}, "--ratio: given more than once"},
  };
  for (const Wrong& wrong : cases) {
    const Outcome outcome = run(wrong.arguments);
    std::string line;
    for (const std::string& argument : wrong.arguments) line += argument + " ";
    EXPECT_EQ(outcome.code, 2) << line << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_TRUE(outcome.err.starts_with("coppice: ")) << line << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << line << outcome.err;
    EXPECT_NE(outcome.err.find(wrong.says), std::string::npos) << line << outcome.err;
  }
}

TEST(Usage, CompletionScriptNamesEveryCommandAndOption) {
  const Outcome script = run({"completion", "bash"});
  EXPECT_EQ(script.code, 0);
  for (const std::string& command : commands) EXPECT_NE(script.out.find("\n    " + command + ")\n"), std::string::npos);
  for (const char* option : {"--target-macs", "--round-to", "--plan-out", "--exact-only", "--groups"})
    EXPECT_NE(script.out.find(option), std::string::npos) << option;
  EXPECT_NE(script.out.find("'local global isomorphic'"), std::string::npos);
}

}  // namespace
}  // namespace coppice::test
