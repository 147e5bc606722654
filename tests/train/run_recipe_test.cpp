#include "coppice/train/run_recipe.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

#include "support/message.hpp"
#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice::recipe {
namespace {

using test::message;

namespace fs = std::filesystem;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A small problem in files.
struct Problem {
  explicit Problem(const std::string& prune) {
    const Batch all = test::blobs(300)->gather(at::arange(300));
    formats::write_npy(to_coppice(all.inputs[0]), folder / "x.npy");
    formats::write_npy(to_coppice(all.target), folder / "y.npy");
    export_onnx(test::small_net(), {at::ones({2, 8})}, folder / "net.onnx", {.dynamic_batch = true});
    text = "seed = 1\nseeds = 2\n[data]\ntraining = \"" + (folder / "x.npy") + ":" + (folder / "y.npy") +
           "\"\nbatch_size = 16\n[model]\nfile = \"" + (folder / "net.onnx") +
           "\"\n[train]\nepochs = 2\noptimizer = { learning_rate = 0.1 }\n" + prune +
           "[recover]\nepochs = 1\n[evaluate]\nbaselines = true\n";
  }
  std::optional<Report> run_on(const std::string& name, const std::string& base) const {
    return recipe::run(parse(text), {.folder = folder / name, .base = folder / base});
  }
  std::optional<Report> run(const std::string& name, bool resume = false, std::function<bool()> stop = {}) const {
    return recipe::run(parse(text),
                       {.folder = folder / name, .resume = resume, .checkpoint_steps = 3, .stop = std::move(stop)});
  }
  test::Scratch folder;
  std::string text;
};

constexpr const char* one_shot = "[prune]\npruning_ratio = 50\ncriterion = \"taylor\"\n";
constexpr const char* rounds =
    "[prune]\nmethod = \"iterative\"\ntarget_macs = \"40%\"\niterations = 3\nmost_lost = 0.2\nepochs = 1\n"
    "distillation = { temperature = 2 }\n";
constexpr const char* gradual = "[prune]\nmethod = \"gradual\"\npruning_ratio = 50\ncontext = \"global\"\nepochs = 2\n";

constexpr const char* sparse = "[sparsify]\nsparsity = \"60%\"\ncontext = \"global\"\nfrequency = 4\nepochs = 2\n";

TEST(RunRecipe, MakesSparse) {
  const Problem problem(sparse);
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->runs.size(), 8U);
  // 128 + 192 + 36 weights in matrices, of which 214 go; the rest of 419 are biases and scales.
  for (const RunResult& run : report->runs) {
    const StageResult& last = run.stages.back();
    EXPECT_EQ(last.parameters, 419) << run.variant;
    EXPECT_LE(last.nonzero, 419 - 214) << run.variant;
    EXPECT_GE(last.nonzero, 419 - 214 - 16 - 12 - 3 - 32) << run.variant;
  }
  EXPECT_EQ(report->runs[0].stages[1].stage, "sparsify");
  EXPECT_GT(report->runs[0].stages[0].nonzero, 380);
  EXPECT_EQ(report->runs[4].stages.back().history.epochs.size(), 5U);  // 2 + 2 + 1
  EXPECT_GT(report->runs[0].stages.back().held_out.value("accuracy"), 0.8);
  EXPECT_NE(report->text().find("nonzero"), std::string::npos);
}

constexpr const char* lottery =
    "[sparsify]\nmethod = \"lottery\"\nsparsity = \"75%\"\ncontext = \"global\"\nrounds = 2\nrewind_epoch = 1\n";

// Weights of a stage by name.
std::map<std::string, at::Tensor> constants_of(const std::string& path) {
  std::map<std::string, at::Tensor> out;
  for (const auto& [name, tensor] : GraphModule(formats::read_onnx(path)).constants()) out.emplace(name, tensor);
  return out;
}

TEST(RunRecipe, DrawsLotteryTickets) {
  Problem problem(lottery);
  problem.text.erase(problem.text.find("[recover]"), std::string("[recover]\nepochs = 1\n").size());
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->runs.size(), 8U);
  const std::vector<StageResult>& stages = report->runs[0].stages;
  ASSERT_EQ(stages.size(), 4U);
  const std::vector<std::string> names{"train", "ticket", "round-1", "round-2"};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(stages[i].stage, names[i]);
    EXPECT_EQ(stages[i].history.epochs.size(), i == 0 ? 2U : 1U);
  }
  // The ticket's epoch is the first of the training, and a round begins with its rate.
  EXPECT_EQ(stages[1].history.epochs[0].training_loss, stages[0].history.epochs[0].training_loss);
  EXPECT_EQ(stages[2].history.epochs[0].learning_rate, stages[0].history.epochs[1].learning_rate);
  // Of 356 weights 178 and then 267 go.
  for (const std::size_t run : {0U, 2U}) {
    const std::vector<StageResult>& all = report->runs[run].stages;
    EXPECT_NEAR(static_cast<double>(all[all.size() - 2].nonzero), 419 - 178, 20);
    EXPECT_NEAR(static_cast<double>(all[all.size() - 1].nonzero), 419 - 267, 20);
  }
  for (const char* way : {"recipe-1/", "random-1/"}) {
    const auto one = constants_of(problem.folder / ("run/" + std::string(way) + "round-1.onnx"));
    const auto two = constants_of(problem.folder / ("run/" + std::string(way) + "round-2.onnx"));
    std::int64_t zeros = 0;
    for (const auto& [name, tensor] : two) {
      if (tensor.dim() != 2) continue;
      zeros += tensor.eq(0).sum().item<std::int64_t>();
      EXPECT_FALSE((one.at(name).eq(0) & tensor.ne(0)).any().item<bool>()) << way << name;
    }
    EXPECT_EQ(zeros, 267) << way;
  }
  EXPECT_EQ(report->runs[2].stages.size(), 2U);                        // with the recipe's ticket
  EXPECT_EQ(report->runs[4].stages.back().history.epochs.size(), 5U);  // 2 + 1 + 2 x 1

  // A run that is stopped in the second round gives the same network.
  int steps = 0;  // 17 an epoch
  ASSERT_FALSE(problem.run("stopped", false, [&] { return ++steps == 75; }));
  EXPECT_TRUE(fs::exists(problem.folder / "stopped/recipe-1/round-1.json"));
  EXPECT_FALSE(fs::exists(problem.folder / "stopped/recipe-1/round-2.json"));
  ASSERT_TRUE(problem.run("stopped", true));
  EXPECT_EQ(bytes_of(problem.folder / "run/pruned.onnx"), bytes_of(problem.folder / "stopped/pruned.onnx"));
}

// At initialisation, without [train].
TEST(RunRecipe, MakesSparseByData) {
  Problem problem(
      "[sparsify]\nmethod = \"one_shot\"\nsparsity = \"75%\"\ncontext = \"global\"\n"
      "criterion = \"snip\"\ncalibration_batches = 2\n");
  problem.text.erase(problem.text.find("[train]"), problem.text.find("[sparsify]") - problem.text.find("[train]"));
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  const std::vector<StageResult>& stages = report->runs[0].stages;
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[0].stage, "original");
  EXPECT_NEAR(static_cast<double>(stages[1].nonzero), 419 - 267, 40);
  EXPECT_NEAR(static_cast<double>(stages[2].nonzero), 419 - 267, 20);
  // Not those that the weights alone would choose.
  const auto before = constants_of(problem.folder / "net.onnx"),
             after = constants_of(problem.folder / "run/recipe-1/sparsify.onnx");
  std::int64_t larger = 0;
  for (const auto& [name, tensor] : after) {
    if (tensor.dim() != 2) continue;
    const at::Tensor stay = tensor.ne(0), size = before.at(name).abs();
    const at::Tensor least = size.masked_select(stay).min();
    larger += (size.gt(least) & ~stay).sum().item<std::int64_t>();
  }
  EXPECT_GT(larger, 20);
}

TEST(RunRecipe, MakesSparseInRounds) {
  const Problem problem("[sparsify]\nmethod = \"iterative\"\nsparsity = \"75%\"\nrounds = 2\nepochs = 2\n");
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  const std::vector<StageResult>& stages = report->runs[0].stages;
  ASSERT_EQ(stages.size(), 4U);
  EXPECT_EQ(stages[2].stage, "round-2");
  EXPECT_EQ(stages[1].history.epochs.size(), 2U);
  // Half of each layer, and half of what is left; the second round begins with the first one's weights.
  EXPECT_NEAR(static_cast<double>(stages[1].nonzero), 419 - 178, 20);
  EXPECT_NEAR(static_cast<double>(stages[3].nonzero), 419 - 267, 20);
  EXPECT_LT(stages[2].history.epochs[0].training_loss, stages[0].history.epochs[0].training_loss);
  EXPECT_EQ(report->runs[4].stages.back().history.epochs.size(), 7U);  // 2 + 2 x 2 + 1
}

TEST(RunRecipe, MakesSparseAtOnce) {
  const Problem problem("[sparsify]\nmethod = \"one_shot\"\npattern = \"2:4\"\n");
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  const std::vector<StageResult>& stages = report->runs[0].stages;
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[1].stage, "sparsify");
  EXPECT_TRUE(stages[1].history.epochs.empty());
  EXPECT_LE(stages[1].nonzero, 419 - 178);
  EXPECT_LE(stages[2].nonzero, 419 - 178);
}

TEST(RunRecipe, GoesTheWholeWay) {
  const Problem problem(one_shot);
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->runs.size(), 8U);
  const RunResult& first = report->runs.front();
  EXPECT_EQ(first.variant, "recipe");
  ASSERT_EQ(first.stages.size(), 3U);
  EXPECT_EQ(first.stages[0].held_out.samples, 30);
  EXPECT_EQ(first.stages[2].parameters, first.stages[1].parameters);
  EXPECT_LT(first.stages[1].parameters, first.stages[0].parameters);
  EXPECT_GT(first.stages[0].held_out.value("accuracy"), 0.8);
  EXPECT_GT(first.stages[2].held_out.value("accuracy"), 0.8);
  EXPECT_EQ(report->runs[2].variant, "random");
  EXPECT_LE(report->runs[2].stages.back().macs, first.stages.back().macs);
  EXPECT_EQ(report->runs[4].variant, "scratch");
  EXPECT_EQ(report->runs[4].stages.back().parameters, first.stages.back().parameters);
  EXPECT_EQ(report->runs[4].stages.back().history.epochs.size(), 3U);  // as many as all of the recipe's
  EXPECT_EQ(report->runs[6].variant, "short");
  EXPECT_EQ(report->runs[6].stages.back().parameters, first.stages.back().parameters);
  EXPECT_EQ(report->runs[6].stages.back().history.epochs.size(), 2U);  // as many as [train]'s
  for (const char* name : {"pruned.onnx", "report.json", "report.txt", "recipe-1/prune.json", "recipe-2/recover.onnx"})
    EXPECT_TRUE(fs::exists(problem.folder / (std::string("run/") + name))) << name;
  EXPECT_EQ(bytes_of(problem.folder / "run/report.txt"), report->text());
  EXPECT_NE(report->text().find("recipe   recover"), std::string::npos);
}

TEST(RunRecipe, CutsInRoundsWithATeacher) {
  Problem problem(rounds);
  problem.text += "[export]\nonnx = \"small.onnx\"\n";
  problem.text.insert(problem.text.find("[evaluate]"), "keep_best = true\ndistillation = { kind = \"logits\" }\n");
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  const RunResult& first = report->runs.front();
  ASSERT_EQ(first.stages.size(), 3U);
  EXPECT_LE(first.stages[1].macs, 0.4 * first.stages[0].macs);
  EXPECT_GT(first.stages[2].held_out.value("accuracy"), 0.7);
  EXPECT_EQ(report->runs[4].stages.back().history.epochs.size(), 6U);  // 2 + 3 x 1 + 1
  EXPECT_TRUE(fs::exists(problem.folder / "run/small.onnx"));
}

TEST(RunRecipe, TakesTheTrainedNetworksOfAnotherRun) {
  Problem problem(one_shot);
  ASSERT_TRUE(problem.run("whole"));
  const std::string text = problem.text;
  problem.text = "# only the base\n" + text.substr(0, text.find("[prune]"));
  problem.text.replace(problem.text.find("seeds = 2"), 9, "seeds = 1");
  ASSERT_TRUE(problem.run("base"));
  problem.text = text;
  int trained = 0;
  const auto report = recipe::run(parse(text), {.folder = problem.folder / "rest",
                                                .base = problem.folder / "base",
                                                .on_epoch = [&](const std::string& stage, const EpochRecord&) {
                                                  trained += stage == "recipe, seed 1, train" ? 100 : 1;
                                                }});
  ASSERT_TRUE(report);
  // Two seeds: 2 epochs for the one that the base lacks, and for both 1 of recovery, twice, and 3 and 2 from scratch.
  EXPECT_EQ(trained, 2 + 2 * (1 + 1 + 3 + 2));
  EXPECT_EQ(bytes_of(problem.folder / "whole/pruned.onnx"), bytes_of(problem.folder / "rest/pruned.onnx"));
  EXPECT_EQ(bytes_of(problem.folder / "whole/report.txt"), bytes_of(problem.folder / "rest/report.txt"));

  problem.text.replace(problem.text.find("epochs = 2"), 10, "epochs = 3");
  EXPECT_EQ(message([&] { problem.run_on("other", "base"); }),
            (problem.folder / "base") +
                ": expected a run with the same seed, [data], [model], [train] and metrics, found others");
  EXPECT_EQ(message([&] { problem.run_on("other", "nowhere"); }),
            (problem.folder / "nowhere") + ": expected the folder of a run to begin with, found none");
  EXPECT_FALSE(fs::exists(problem.folder / "other"));
}

// Only how long it took may differ.
std::string without_seconds(const Report& report) {
  Report copy = report;
  for (RunResult& run : copy.runs) {
    run.model.clear();
    for (StageResult& stage : run.stages) {
      stage.seconds = 0;
      for (EpochRecord& epoch : stage.history.epochs) epoch.seconds = 0;
    }
  }
  return copy.json();
}

TEST(RunRecipe, GoesOnAsIfItHadNeverStopped) {
  for (const char* prune : {one_shot, gradual, rounds, sparse}) {
    const Problem problem(prune);
    const auto whole = problem.run("whole");
    ASSERT_TRUE(whole);
    std::optional<Report> found;
    int stops = 0;
    // A round of cutting and training has 17 batches, and begins anew when it is stopped.
    for (bool resume = false; !found; resume = true, ++stops) {
      int steps = 0;
      found = problem.run("parts", resume, [&] { return ++steps >= 29; });
      ASSERT_LT(stops, 100);
    }
    EXPECT_GT(stops, 3);
    EXPECT_EQ(without_seconds(*whole), without_seconds(*found));
    EXPECT_EQ(bytes_of(problem.folder / "whole/pruned.onnx"), bytes_of(problem.folder / "parts/pruned.onnx"));
  }
}

TEST(RunRecipe, LooksForLayersBeforeTheWork) {
  for (const auto& [table, keys] : {std::pair("prune", "pruning_ratio = 50\nignored_layers = [\"no_such_layer\"]\n"),
                                    {"prune", "layer_ratios = { no_such_layer = 50 }\n"},
                                    {"sparsify", "sparsity = 50\nepochs = 1\nlayers = { no_such_layer = 50 }\n"},
                                    {"sparsify", "sparsity = 50\nepochs = 1\ngranularity = \"kernel\"\n"}}) {
    const Problem problem("[" + std::string(table) + "]\n" + keys);
    const std::string said = message([&] { problem.run("run"); });
    EXPECT_EQ(said.find(std::string(table) + ": "), 0U) << said;
    EXPECT_FALSE(fs::exists(problem.folder / "run")) << said;
  }
}

TEST(RunRecipe, TicketsAreOfTheirEpochAlsoWhereTheBestIsKept) {
  const auto ticket = [](const std::string& more) {
    Problem problem("[sparsify]\nmethod = \"lottery\"\nsparsity = \"50%\"\nrounds = 1\nrewind_epoch = 4\n");
    problem.text.replace(problem.text.find("[recover]"), std::string::npos, "");
    const std::size_t train = problem.text.find("epochs = 2\noptimizer = { learning_rate = 0.1 }");
    problem.text.replace(train, 47, "epochs = 6\noptimizer = { learning_rate = 3 }\n" + more);
    const auto report = problem.run("run");
    EXPECT_EQ(report->runs[0].stages[1].stage, "ticket");
    return bytes_of(problem.folder / "run/recipe-1/ticket.onnx");
  };
  EXPECT_EQ(ticket("keep_best = true\n"), ticket(""));
}

TEST(RunRecipe, HasBaselinesWhereEveryRoundWasTakenBack) {
  Problem problem(rounds);
  problem.text.replace(problem.text.find("most_lost = 0.2"), 15, "most_lost = -2\nbackoffs = 1");
  const auto report = problem.run("run");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->runs.size(), 8U);
  EXPECT_EQ(report->runs[0].stages[1].parameters, report->runs[0].stages[0].parameters);
  EXPECT_EQ(report->runs[2].stages.back().macs, report->runs[0].stages.back().macs);
  // 2 + two rounds that were taken back + 1
  EXPECT_EQ(report->runs[4].stages.back().history.epochs.size(), 5U);
  EXPECT_TRUE(fs::exists(problem.folder / "run/report.json"));
}

TEST(RunRecipe, LeavesOtherFilesAlone) {
  const Problem problem(one_shot);
  fs::create_directories(problem.folder / "run");
  std::ofstream(problem.folder / "run/report.txt") << "mine";
  EXPECT_NE(message([&] { problem.run("run"); }).find("found one with other files"), std::string::npos);
  EXPECT_EQ(bytes_of(problem.folder / "run/report.txt"), "mine");
  fs::remove(problem.folder / "run/report.txt");
  EXPECT_FALSE(problem.run("run", false, [] { return true; }));
}

TEST(RunRecipe, KeepsFoldersApart) {
  const Problem problem(one_shot);
  problem.run("run", false, [] { return true; });
  EXPECT_THROW(problem.run("run"), Error);
  const Problem other(gradual);
  EXPECT_THROW(recipe::run(parse(other.text), {.folder = problem.folder / "run", .resume = true}), Error);
}

}  // namespace
}  // namespace coppice::recipe
