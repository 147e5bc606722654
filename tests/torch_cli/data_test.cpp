#include <fstream>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/graph/builder.hpp"

#include "cli/program.hpp"
#include "support/pictures.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;
using namespace std::string_literals;

void save(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// A picture of 8 by 8 pixels of one colour.
std::string plain(const std::string& colour) {
  std::string row;
  for (int i = 0; i < 8; ++i) row += colour;
  return png(std::vector<std::string>(8, row), 8);
}

const std::string red = "\xff\0\0"s, blue = "\0\0\xff"s;

// Two classes, blue and red; a red picture among the blue ones, and one that is cut short.
std::string colours(const Scratch& scratch) {
  const std::string folder = scratch / "colours";
  save(folder + "/red/1.png", plain(red));
  save(folder + "/red/2.png", plain(red).substr(0, 50));
  save(folder + "/red/3.png", plain(red));
  save(folder + "/blue/1.png", plain(blue));
  save(folder + "/blue/2.png", plain(red));
  return folder;
}

// Tells blue from red by the mean over the picture.
std::string colour_model(const Scratch& scratch) {
  graph::Builder b("colours");
  const graph::ValueId x = b.input("x", graph::DType::float32, {{-1, "batch"}, {3, {}}, {-1, "h"}, {-1, "w"}});
  const std::vector<float> weight{0, 0, 1, 1, 0, 0};
  const graph::ValueId w = b.initializer("w", graph::Tensor::of<float>(graph::DType::float32, {2, 3}, weight));
  const graph::ValueId mean = b.op("Flatten", {b.op("GlobalAveragePool", {x})});
  b.output(b.op("Gemm", {mean, w}, {graph::attr("transB", std::int64_t{1})}), graph::DType::float32,
           {{-1, "batch"}, {2, {}}});
  const std::string path = scratch / "colours.onnx";
  formats::write_onnx(std::move(b).finish(), path);
  return path;
}

// The same with four channels between that can be pruned.
std::string wider_model(const Scratch& scratch) {
  graph::Builder b("wider");
  const graph::ValueId x = b.input("x", graph::DType::float32, {{-1, "batch"}, {3, {}}, {8, {}}, {8, {}}});
  const std::vector<float> first{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}, second{0, 1, 2, 3, 3, 2, 1, 0};
  const graph::ValueId inner =
      b.op("Relu",
           {b.op("Conv",
                 {x, b.initializer("inner", graph::Tensor::of<float>(graph::DType::float32, {4, 3, 1, 1}, first))})});
  const graph::ValueId w = b.initializer("w", graph::Tensor::of<float>(graph::DType::float32, {2, 4}, second));
  const graph::ValueId mean = b.op("Flatten", {b.op("GlobalAveragePool", {inner})});
  b.output(b.op("Gemm", {mean, w}, {graph::attr("transB", std::int64_t{1})}), graph::DType::float32,
           {{-1, "batch"}, {2, {}}});
  formats::write_onnx(std::move(b).finish(), scratch / "wider.onnx");
  return scratch / "wider.onnx";
}

TEST(Data, DamagedRecordsAreSkippedOnlyIfAsked) {
  const Scratch scratch;
  const std::string folder = colours(scratch), model = colour_model(scratch), data = "images:" + folder + ":8";
  const Outcome refused = run({"evaluate", model, "--data", data});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find(folder + "/red/2.png: expected a JPEG or PNG picture"), std::string::npos) << refused.err;

  const Outcome skipped = run({"evaluate", model, "--data", data, "--skip-damaged"});
  EXPECT_EQ(skipped.code, 0) << skipped.err;
  EXPECT_NE(skipped.out.find("accuracy 75.00 % on 4 samples"), std::string::npos) << skipped.out;
  EXPECT_NE(skipped.err.find("skipped 1 damaged record: " + folder + "/red/2.png"), std::string::npos) << skipped.err;

  const Json found = run_json({"evaluate", model, "--data", data, "--skip-damaged"});
  EXPECT_EQ(found["skipped"], 1);
  EXPECT_EQ(found["metrics"], (Json{{"accuracy", 0.75}}));
  EXPECT_EQ(found["classes"], Json::parse(R"([{"name": "blue", "samples": 2, "accuracy": 0.5},
                                              {"name": "red", "samples": 2, "accuracy": 1.0}])"));
}

TEST(Data, PicturesAreCroppedAndLearntFrom) {
  const Scratch scratch;
  const std::string folder = colours(scratch), model = colour_model(scratch), data = "images:" + folder + ":8";
  const std::vector<std::string> line{"train",
                                      model,
                                      "--data",
                                      data,
                                      "-o",
                                      scratch / "out.onnx",
                                      "--held-out",
                                      "50%",
                                      "--test",
                                      data,
                                      "--batch-size",
                                      "2",
                                      "--epochs",
                                      "2",
                                      "--crop",
                                      "4",
                                      "--skip-damaged",
                                      "--random-flip"};
  std::vector<std::string> scaled = line;
  scaled.insert(scaled.end(), {"--random-scale", "0.5"});
  for (const auto& arguments : {line, scaled}) {
    const Json found = run_json(arguments);
    EXPECT_EQ(found["skipped"], 2);  // of the samples to learn from, and of those to test on
    EXPECT_EQ(found["history"]["epochs"].size(), 2U);
  }
  std::vector<std::string> nothing = line;
  nothing[15] = "0";
  nothing.insert(nothing.end(), {"--random-scale", "0.5"});
  const Outcome refused = run(nothing);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("random scale: expected a crop"), std::string::npos) << refused.err;
  const Outcome large = run({"evaluate", model, "--data", data, "--skip-damaged", "--crop", "9"});
  EXPECT_NE(large.err.find("crop: expected pictures of 9 pixels a side or more, found 8 by 8"), std::string::npos);
}

TEST(Data, LanguageModelsLearnTokens) {
  const Scratch scratch;
  std::string tokens;
  for (int i = 0; i < 8 * 32 + 1; ++i) tokens += {static_cast<char>(i % 5), '\0'};
  save(scratch / "tokens.bin", tokens);
  const Json found = run_json({"train", "zoo:gpt2_tiny", "--data", "tokens:" + scratch / "tokens.bin" + ":8", "-o",
                               scratch / "out.onnx", "--epochs", "2", "--batch-size", "8", "--held-out", "25%"});
  const Json& epochs = found["history"]["epochs"];
  const auto held_out = [&](std::size_t epoch) { return epochs.at(epoch)["validation"]["loss"].get<double>(); };
  EXPECT_EQ(epochs.at(0)["validation"]["samples"], 8);
  EXPECT_LT(held_out(1), held_out(0));
}

TEST(Data, RecipesHaveAFolderAndBaselinesLater) {
  const Scratch scratch;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch / "");
  const std::string folder = colours(scratch), model = wider_model(scratch);
  save(scratch / "small.toml", "[data]\ntraining = \"images:" + folder +
                                   ":8\"\nheld_out = \"50%\"\nskip_damaged = true\n[model]\nfile = \"" + model +
                                   "\"\n[prune]\npruning_ratio = \"50%\"\n[recover]\nepochs = 1\n");
  const auto variants = [](const Json& report) {
    std::vector<std::string> out;
    for (const Json& run : report["runs"]) out.push_back(run["variant"]);
    return out;
  };
  EXPECT_EQ(variants(run_json({"run-recipe", "small.toml"})), (std::vector<std::string>{"recipe"}));
  EXPECT_TRUE(std::filesystem::exists("small/pruned.onnx"));
  const std::string pruned = read_file("small/pruned.onnx");
  EXPECT_EQ(variants(run_json({"run-recipe", "small.toml", "--resume", "--baselines"})),
            (std::vector<std::string>{"recipe", "random", "scratch"}));
  EXPECT_EQ(read_file("small/pruned.onnx"), pruned);
  std::filesystem::current_path(before);
}

TEST(Data, RecipesSkipAndCrop) {
  const Scratch scratch;
  const std::string folder = colours(scratch), model = colour_model(scratch);
  save(scratch / "recipe.toml", "[data]\ntraining = \"images:" + folder +
                                    ":8\"\nheld_out = \"50%\"\ncrop = 6\nrandom_scale = 0.5\nskip_damaged = true\n"
                                    "[model]\nfile = \"" +
                                    model + "\"\n[train]\nepochs = 1\n");
  const Json found = run_json({"run-recipe", scratch / "recipe.toml", "--output-dir", scratch / "run"});
  EXPECT_EQ(found["skipped"], 1);
  EXPECT_EQ(found["runs"][0]["stages"][0]["held_out"]["samples"], 2);
}

}  // namespace
}  // namespace coppice::test
