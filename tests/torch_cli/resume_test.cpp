#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <torch/torch.h>
#include <unistd.h>

#include "coppice/formats/npy.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/torch/tensors.hpp"

#include "support/scratch.hpp"

// A training that is killed again and again ends with the same file as one that never was.
namespace coppice {
namespace {

constexpr int kills = 20;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Changes whenever the file is replaced; 0: there is none.
ino_t identity(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

pid_t start(std::vector<std::string> arguments) {
  std::vector<char*> words;
  arguments.insert(arguments.begin(), COPPICE_PROGRAM);
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, STDOUT_FILENO);
  ::execv(words[0], words.data());
  ::_exit(127);
}

bool ended(pid_t child, int& status) {
  return ::waitpid(child, &status, WNOHANG) == child;
}

void pause(int microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

void write_problem(const test::Scratch& folder) {
  torch::manual_seed(4);
  const at::Tensor labels = at::arange(1600, at::kLong).remainder(4);
  formats::write_npy(to_coppice(at::randn({4, 16}).index_select(0, labels) * 2 + at::randn({1600, 16})),
                     folder / "x.npy");
  formats::write_npy(to_coppice(labels), folder / "y.npy");
  // What is drawn while training, here by Dropout, is part of what must be gone on with.
  graph::Builder b("net");
  const auto constant = [&](const char* name, const at::Tensor& value) {
    return b.initializer(name, to_coppice(value));
  };
  const auto linear = [&](graph::ValueId x, const std::string& name, std::int64_t in, std::int64_t out) {
    const auto weight = constant((name + ".weight").c_str(), at::randn({out, in}) / std::sqrt(static_cast<double>(in)));
    return b.op("Gemm", {x, weight, constant((name + ".bias").c_str(), at::zeros({out}))}, {graph::attr("transB", 1)},
                name);
  };
  graph::ValueId y = linear(b.input("x", graph::DType::float32, {{-1, "batch"}, {16, {}}}), "first", 16, 64);
  y = b.op("BatchNormalization", {y, constant("scale", at::ones({64})), constant("shift", at::zeros({64})),
                                  constant("mean", at::zeros({64})), constant("variance", at::ones({64}))});
  y = b.op("Dropout", {b.op("Relu", {y}), constant("ratio", at::tensor(0.2F))});
  y = b.op("Relu", {linear(y, "second", 64, 48)});
  b.output(linear(y, "last", 48, 4), graph::DType::float32, {{-1, "batch"}, {4, {}}});
  formats::write_onnx(std::move(b).finish(), folder / "net.onnx");
}

TEST(Resume, AfterBeingKilledGivesTheSameFile) {
  const test::Scratch folder;
  write_problem(folder);
  const auto command = [&](const std::string& name) {
    return std::vector<std::string>{"train",           folder / "net.onnx",
                                    "--data",          (folder / "x.npy") + ":" + (folder / "y.npy"),
                                    "--out",           folder / (name + ".onnx"),
                                    "--epochs",        "60",
                                    "--batch-size",    "16",
                                    "--optimizer",     "adam",
                                    "--learning-rate", "0.003",
                                    "--pruning-ratio", "50%",
                                    "--context",       "global",
                                    "--checkpoint",    folder / (name + ".pt"),
                                    "--threads",       "1"};
  };
  int status = 0;
  const pid_t whole = start(command("whole"));
  ASSERT_EQ(::waitpid(whole, &status, 0), whole);
  ASSERT_EQ(status, 0);

  std::vector<std::string> parts = command("parts");
  parts.insert(parts.end(), {"--checkpoint-steps", "7"});
  std::minstd_rand draw(5);
  const std::string checkpoint = folder / "parts.pt";
  for (int kill = 0; kill < kills; ++kill) {
    const ino_t before = identity(checkpoint);
    const pid_t child = start(parts);
    // Only a run that got further counts, and then it is killed anywhere, also while a checkpoint is being written.
    while (identity(checkpoint) == before) {
      ASSERT_FALSE(ended(child, status)) << "the training ended before it could be killed " << kills << " times";
      pause(200);
    }
    pause(static_cast<int>(draw() % 30000));
    ASSERT_FALSE(ended(child, status)) << "the training ended before it could be killed " << kills << " times";
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    if (kill == 0) parts.emplace_back("--resume");
  }
  const pid_t last = start(parts);
  ASSERT_EQ(::waitpid(last, &status, 0), last);
  ASSERT_EQ(status, 0);
  const std::string expected = bytes_of(folder / "whole.onnx");
  EXPECT_GT(expected.size(), 1000U);
  EXPECT_TRUE(bytes_of(folder / "parts.onnx") == expected);
}

class Interrupted : public testing::TestWithParam<int> {};

TEST_P(Interrupted, GivesTheSameFile) {
  const test::Scratch folder;
  write_problem(folder);
  std::vector<std::string> parts{"train",
                                 folder / "net.onnx",
                                 "--data",
                                 (folder / "x.npy") + ":" + (folder / "y.npy"),
                                 "--out",
                                 folder / "parts.onnx",
                                 "--epochs",
                                 "20",
                                 "--checkpoint",
                                 folder / "parts.pt",
                                 "--checkpoint-steps",
                                 "5",
                                 "--threads",
                                 "1"};
  std::vector<std::string> whole = parts;
  whole[5] = folder / "whole.onnx";
  whole[9] = folder / "whole.pt";
  int status = 0;
  const pid_t first = start(whole);
  ASSERT_EQ(::waitpid(first, &status, 0), first);
  ASSERT_EQ(status, 0);
  const pid_t child = start(parts);
  while (identity(folder / "parts.pt") == 0) {
    ASSERT_FALSE(ended(child, status));
    pause(200);
  }
  ::kill(child, GetParam());
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_EQ(identity(folder / "parts.onnx"), 0U);
  parts.emplace_back("--resume");
  const pid_t second = start(parts);
  ASSERT_EQ(::waitpid(second, &status, 0), second);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(bytes_of(folder / "parts.onnx") == bytes_of(folder / "whole.onnx"));
}

INSTANTIATE_TEST_SUITE_P(Resume, Interrupted, testing::Values(SIGINT, SIGTERM),
                         [](const testing::TestParamInfo<int>& signal) {
                           return std::string(signal.param == SIGINT ? "ByCtrlC" : "ByTermination");
                         });

}  // namespace
}  // namespace coppice
