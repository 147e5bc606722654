#include <filesystem>

#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

struct Failure {
  std::string name;
  std::vector<std::string> arguments;  ///< Behind `prune`; -o OUT is added.
  std::vector<std::string> says;
};

/// Exit code 1, one line that says all of these, nothing on the standard output.
void expect_failure(const Outcome& outcome, const std::string& name, const std::vector<std::string>& says) {
  EXPECT_EQ(outcome.code, 1) << name << ": " << outcome.err;
  EXPECT_EQ(outcome.out, "") << name;
  EXPECT_TRUE(outcome.err.starts_with("coppice: ")) << name << ": " << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << name << ": " << outcome.err;
  for (const std::string& text : says)
    EXPECT_NE(outcome.err.find(text), std::string::npos) << name << ": expected " << text << " in " << outcome.err;
}

TEST(Failure, OneLineCodeOneAndOutUntouched) {
  const Scratch scratch;
  const std::string model = zoo_file("mlp"), bytes = read_file(model);
  const std::string truncated = scratch / "truncated.onnx", text = scratch / "text.onnx",
                    empty = scratch / "empty.onnx";
  write_file(truncated, bytes.substr(0, bytes.size() / 2));
  write_file(text, "This is a letter, not a model.\n");
  write_file(empty, "");
  const std::string other_plan = scratch / "other.json", broken_plan = scratch / "broken.json";
  ASSERT_EQ(run({"prune", zoo_file("lstm_tagger"), "--dry-run", "--ratio", "50%", "--plan-out", other_plan}).code, 0);
  write_file(broken_plan, "{\"version\": ");

  const std::vector<Failure> failures{
      {"missing file", {scratch / "absent.onnx", "--ratio", "30%"}, {"absent.onnx"}},
      {"truncated", {truncated, "--ratio", "30%"}, {"truncated.onnx"}},
      {"text", {text, "--ratio", "30%"}, {"text.onnx", "expected an ONNX model"}},
      {"empty", {empty, "--ratio", "30%"}, {"empty.onnx"}},
      {"folder", {std::filesystem::temp_directory_path().string(), "--ratio", "30%"}, {}},
      {"ratio above 100 %", {model, "--ratio", "150%"}, {"150%"}},
      {"ratio of 100 %", {model, "--ratio", "100%"}, {"100%"}},
      {"negative ratio", {model, "--ratio=-0.3"}, {"-0.3"}},
      {"ratio that removes nothing", {model, "--ratio", "0"}, {"nothing"}},
      {"layer ratio", {model, "--layer", "fc1=120%"}, {"fc1", "120%"}},
      {"target", {model, "--target-macs", "0"}, {"--target-macs"}},
      {"unknown layer", {model, "--layer", "fc9=20%"}, {"fc9", "fc1"}},
      {"layer without parameters", {model, "--layer", "relu1=20%"}, {"relu1", "no parameters of its own"}},
      {"unknown ignored layer", {model, "--ratio", "30%", "--ignore", "classifer*"}, {"classifer"}},
      {"unknown output", {model, "--ratio", "30%", "--outputs", "logit"}, {"logit"}},
      {"unknown input", {model, "--ratio", "30%", "--shape", "picture=1x784"}, {"picture"}},
      {"plan of another model", {model, "--plan", other_plan}, {"plan"}},
      {"broken plan", {model, "--plan", broken_plan}, {"broken.json"}},
      {"missing plan", {model, "--plan", scratch / "absent.json"}, {"absent.json"}},
      {"twin in a missing folder", {model, "--ratio", "30%", "--twin", scratch / "no/twin.onnx"}, {"no"}},
  };
  const std::string out = scratch / "out.onnx", before = "what was there before";
  for (const Failure& failure : failures) {
    write_file(out, before);
    std::vector<std::string> arguments{"prune"};
    arguments.insert(arguments.end(), failure.arguments.begin(), failure.arguments.end());
    arguments.insert(arguments.end(), {"-o", out});
    expect_failure(run(arguments), failure.name, failure.says);
    EXPECT_EQ(read_file(out), before) << failure.name;
    arguments.push_back("--json");
    EXPECT_EQ(run(arguments).out, "") << failure.name;
  }
}

TEST(Failure, OutputFolderMustExist) {
  const Scratch scratch;
  const std::string target = scratch / "absent/out.onnx";
  expect_failure(run({"prune", zoo_file("mlp"), "-o", target, "--ratio", "30%"}), "prune",
                 {"absent", "does not exist"});
  expect_failure(run({"zoo", "mlp", "-o", target}), "zoo", {"absent", "does not exist"});
  expect_failure(run({"prune", zoo_file("mlp"), "-o", scratch / "", "--ratio", "30%"}), "folder", {"folder"});
}

TEST(Failure, NothingToPruneSaysWhy) {
  const Scratch scratch;
  const std::string out = scratch / "out.onnx";
  const Outcome outcome = run({"prune", zoo_file("mlp"), "-o", out, "--ratio", "30%", "--ignore", "*"});
  expect_failure(outcome, "all ignored", {"ignored"});
  EXPECT_FALSE(exists(out));
}

TEST(Failure, UnknownArchitectureNamesTheNearest) {
  const Scratch scratch;
  expect_failure(run({"zoo", "resnet19", "-o", scratch / "x.onnx"}), "zoo", {"resnet19", "resnet18"});
}

TEST(Failure, OtherCommandsRefuseBadFilesToo) {
  const Scratch scratch;
  const std::string text = scratch / "text.onnx";
  write_file(text, "no model");
  expect_failure(run({"inspect", text}), "inspect", {"text.onnx"});
  expect_failure(run({"diff", zoo_file("mlp"), text}), "diff", {"text.onnx"});
  expect_failure(run({"inspect", zoo_file("mlp"), "--shape", "y=1x2"}), "inspect", {"mlp.onnx: no graph input"});
  expect_failure(run({"diff", zoo_file("mlp"), zoo_file("mlp"), "--shape", "y=1x2"}), "diff",
                 {"mlp.onnx: no graph input"});
  expect_failure(run({"zoo", "zoo"}), "zoo", {"no architecture \"zoo\""});
}

// Results may not overwrite each other, nor what the run reads; OUT alone may be MODEL.
TEST(Failure, FilesThatWouldOverwriteOneAnother) {
  const Scratch scratch;
  const std::string model = scratch / "model.onnx", plan = scratch / "plan.json", out = scratch / "out.onnx";
  write_file(model, read_file(zoo_file("mlp")));
  ASSERT_EQ(run({"prune", model, "--dry-run", "--ratio", "50%", "--plan-out", plan}).code, 0);
  const std::string same = scratch / "./out.onnx", model_bytes = read_file(model), plan_bytes = read_file(plan);
  const std::vector<std::vector<std::string>> conflicts{
      {"-o", out, "--ratio", "30%", "--plan-out", model},
      {"-o", out, "--ratio", "30%", "--twin", model},
      {"-o", out, "--ratio", "30%", "--plan-out", same},
      {"-o", out, "--ratio", "30%", "--twin", same},
      {"-o", out, "--ratio", "30%", "--twin", plan, "--plan-out", plan},
      {"-o", plan, "--plan", plan},
      {"-o", out, "--plan", plan, "--twin", plan},
  };
  for (std::vector<std::string> arguments : conflicts) {
    arguments.insert(arguments.begin(), {"prune", model});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find("name the same file"), std::string::npos) << outcome.err;
    EXPECT_FALSE(exists(out));
    EXPECT_EQ(read_file(model), model_bytes);
    EXPECT_EQ(read_file(plan), plan_bytes);
  }
  EXPECT_EQ(run({"prune", model, "-o", model, "--ratio", "30%"}).code, 0);
  EXPECT_NE(read_file(model), model_bytes);
}

}  // namespace
}  // namespace coppice::test
