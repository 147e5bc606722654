#include "coppice/train/recipe.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

namespace coppice::recipe {
namespace {

constexpr const char* whole = R"(
seed = 3
seeds = 2
[data]
training = "fashion-mnist:100"
test = "fashion-mnist"
held_out = "20%"
batch_size = 32
mean = [0.5]
deviation = [0.25]
random_flip = true
[model]
zoo = "mlp"
[train]
epochs = 5
label_smoothing = 0.1
optimizer = { kind = "adamw", learning_rate = 1e-3, weight_decay = 0.01 }
learning_rate = { schedule = "one_cycle", rise = 0.3 }
[prune]
method = "gradual"
pruning_ratio = "40%"
context = "global"
criterion = "taylor"
schedule = "agp"
epochs = 4
end = 0.9
[prune.layer_ratios]
"layer1.0.conv1" = 20
[sparsify]
sparsity = "80%"
keep_classifier = true
schedule = "cos"
initial = 20
frequency = 10
epochs = 6
[sparsify.layers]
"fc1" = 0.9
[recover]
epochs = 2
[evaluate]
metrics = ["accuracy", "top5"]
baselines = true
[export]
onnx = "small.onnx"
)";

TEST(Recipe, IsReadKeyByKey) {
  const Recipe recipe = parse(whole);
  EXPECT_EQ(recipe.seed, 3U);
  EXPECT_EQ(recipe.seeds, 2);
  EXPECT_EQ(recipe.data.training, "fashion-mnist:100");
  EXPECT_EQ(recipe.data.held_out, 0.2);
  EXPECT_EQ(recipe.data.mean, std::vector<double>{0.5});
  EXPECT_TRUE(recipe.data.random_flip);
  EXPECT_EQ(recipe.model.zoo, "mlp");
  EXPECT_EQ(recipe.train.epochs, 5);
  EXPECT_EQ(recipe.train.optimizer.kind, OptimizerKind::adamw);
  EXPECT_EQ(recipe.train.optimizer.learning_rate, 1e-3);
  EXPECT_EQ(recipe.train.learning_rate.schedule, RateSchedule::one_cycle);
  EXPECT_EQ(recipe.train.learning_rate.rise, 0.3);
  EXPECT_EQ(recipe.prune.method, Method::gradual);
  EXPECT_EQ(recipe.prune.pruner.pruning_ratio.whole(), 0.4);
  EXPECT_EQ(recipe.prune.pruner.context, Context::global);
  EXPECT_EQ(recipe.prune.pruner.criterion.name(), "taylor");
  EXPECT_EQ(recipe.prune.pruner.schedule, Schedule::agp);
  EXPECT_EQ(recipe.prune.pruner.layer_ratios.at("layer1.0.conv1"), 0.2);
  EXPECT_EQ(recipe.prune.window.end, 0.9);
  EXPECT_FALSE(recipe.prune.window.start);
  EXPECT_EQ(recipe.prune.training.epochs, 4);
  ASSERT_TRUE(recipe.sparsify);
  EXPECT_EQ(recipe.sparsify->what.sparsity, 0.8);
  EXPECT_TRUE(recipe.sparsify->what.keep_classifier);
  EXPECT_EQ(recipe.sparsify->what.layers, (std::vector<std::pair<std::string, double>>{{"fc1", 0.9}}));
  EXPECT_EQ(recipe.sparsify->when.schedule, Schedule::cos);
  EXPECT_EQ(recipe.sparsify->when.initial, 0.2);
  EXPECT_EQ(recipe.sparsify->when.frequency, 10);
  EXPECT_EQ(recipe.sparsify->training.epochs, 6);
  EXPECT_EQ(recipe.recover.epochs, 2);
  EXPECT_EQ(recipe.evaluate.metrics, (std::vector<std::string>{"accuracy", "top5"}));
  EXPECT_TRUE(recipe.evaluate.baselines);
  EXPECT_EQ(recipe.output.onnx, "small.onnx");
}

TEST(Recipe, TellsHowPicturesAreRead) {
  const Data data = parse(
                        "data = { training = \"x.npy\", crop = 24, random_scale = 0.5, skip_damaged = true }\n"
                        "model = { zoo = \"mlp\" }\ntrain = { epochs = 1 }")
                        .data;
  EXPECT_EQ(data.crop, 24);
  EXPECT_EQ(data.random_scale, 0.5);
  EXPECT_TRUE(data.skip_damaged);
}

// What parse() says when a line of the whole recipe reads otherwise.
std::string refusal(const std::string& line, const std::string& instead) {
  std::string text = whole;
  const std::size_t at = text.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  text.replace(at, line.size(), instead);
  try {
    parse(text, "r.toml");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Recipe, NamesLineAndKeyOfWhatIsWrong) {
  EXPECT_EQ(refusal("seeds = 2", "seed = 2"),
            "r.toml:3: Error while parsing key-value pair: cannot redefine existing integer 'seed'");
  EXPECT_EQ(refusal("seeds = 2", "sedes = 2"), "r.toml:3: sedes: unknown key; did you mean seed?");
  EXPECT_EQ(refusal("epochs = 5", "epoch = 5"), "r.toml:15: train.epoch: unknown key; did you mean epochs?");
  EXPECT_EQ(refusal("epochs = 5", "epochs = \"5\""), "r.toml:15: train.epochs: expected a whole number, found \"5\"");
  EXPECT_EQ(refusal("epochs = 5", "epochs = -1"), "r.toml:15: train.epochs: expected 0 or more, found -1");
  EXPECT_EQ(refusal("kind = \"adamw\"", "kind = \"adamx\""),
            "r.toml:17: train.optimizer.kind: optimizer: expected sgd, adam or adamw, found 'adamx'");
  EXPECT_EQ(refusal("rise = 0.3", "rises = 0.3"),
            "r.toml:18: train.learning_rate.rises: unknown key; did you mean rise?");
  EXPECT_EQ(
      refusal("\"40%\"", "\"140%\""),
      "r.toml:21: prune.pruning_ratio: ratio: expected 0 to below 1, or up to below 100 percent, such as 0.3, 30 or "
      "30%, found '140%'");
  EXPECT_EQ(refusal("pruning_ratio = \"40%\"", ""), "no error");  // the layers' ratios are there
  EXPECT_EQ(refusal("mean = [0.5]", "mean = [\"a\"]"), "r.toml:9: data.mean: expected a list of numbers, found a list");
  EXPECT_EQ(refusal("zoo = \"mlp\"", ""), "r.toml:12: model: expected either file or zoo, found none");
  EXPECT_EQ(refusal("training = \"fashion-mnist:100\"", ""),
            "r.toml:1: data.training: expected the name of data to train on, found none");
  EXPECT_EQ(refusal("\"top5\"", "\"top\""),
            "r.toml:41: evaluate.metrics: metric: expected accuracy, perplexity, or top5 and the like, found \"top\"");
  EXPECT_EQ(refusal("method = \"gradual\"", "method = \"one_shot\""),
            "r.toml:25: prune.epochs: expected none with method one_shot: [recover] trains what was cut");
  EXPECT_EQ(refusal("method = \"gradual\"", "method = \"gradual\"\niterations = 3"),
            "r.toml:21: prune.iterations: expected none with method gradual");
  // What is out of range is told at once, and where.
  EXPECT_EQ(refusal("learning_rate = 1e-3", "learning_rate = -1"),
            "r.toml:17: train.optimizer: optimizer: expected a learning rate above 0, found -1.000000");
  EXPECT_EQ(refusal("rise = 0.3", "rise = 1").substr(0, 42), "r.toml:18: train.learning_rate: learning r");
  EXPECT_EQ(refusal("epochs = 5", "epochs = 5\naccumulate = 0"),
            "r.toml:16: train.accumulate: expected 1 or more, found 0");
  EXPECT_EQ(refusal("label_smoothing = 0.1", "label_smoothing = 2").substr(0, 33), "r.toml:16: train.label_smoothing:");
  EXPECT_EQ(refusal("batch_size = 32", "batch_size = 0"), "r.toml:8: data.batch_size: expected 1 or more, found 0");
  EXPECT_EQ(refusal("small.onnx", "report.json"),
            "r.toml:44: export.onnx: expected a name that no other result has, found \"report.json\"");
  EXPECT_EQ(refusal("sparsity = \"80%\"", ""),
            "r.toml:29: sparsify: expected sparsity, or a pattern N:M that makes its own, found neither");
  for (const char* name : {"../small.onnx", "/small.onnx", ""})
    EXPECT_EQ(refusal("small.onnx", name),
              "r.toml:44: export.onnx: expected the name of a file, which stands in the output folder, found \"" +
                  std::string(name) + "\"");
  EXPECT_EQ(refusal("sparsity = \"80%\"", "sparsty = \"80%\""),
            "r.toml:30: sparsify.sparsty: unknown key; did you mean sparsity?");
  EXPECT_EQ(refusal("training = \"fashion", "trainig = \"fashion"),
            "r.toml:5: data.trainig: unknown key; did you mean training?");
  EXPECT_EQ(refusal("sparsity = \"80%\"", "pattern = \"2:4\""), "no error");
  EXPECT_EQ(refusal("epochs = 6", ""),
            "r.toml:29: sparsify.epochs: expected 1 or more, for the network learns while it is made sparse");
  EXPECT_EQ(refusal("[sparsify]", "[sparsify]\nmethod = \"lottery\""),
            "r.toml:33: sparsify.schedule: expected none with method lottery");
  EXPECT_EQ(refusal("epochs = 6", "epochs = 6\nrounds = 2"),
            "r.toml:36: sparsify.rounds: expected none with method gradual");
  EXPECT_EQ(refusal("[sparsify]", "[sparsify]\nmethod = \"lotery\""),
            "r.toml:30: sparsify.method: method: expected one_shot, gradual, iterative or lottery, found 'lotery'");
  const char* const keys = "schedule = \"cos\"\ninitial = 20\nfrequency = 10\nepochs = 6\n";
  EXPECT_EQ(refusal(keys, "method = \"lottery\"\n"),
            "r.toml:29: sparsify: expected no [prune] with method lottery, for widths must stay");
  EXPECT_EQ(refusal(keys, "method = \"one_shot\"\n"), "no error");
  EXPECT_EQ(refusal(keys, "method = \"one_shot\"\nepochs = 2\n"),
            "r.toml:33: sparsify.epochs: expected none with method one_shot");
  EXPECT_EQ(refusal("epochs = 6", "epochs = 6\ncriterion = \"snip\""),
            "r.toml:36: sparsify.criterion: expected one told from the weights with method gradual, found \"snip\"");
  EXPECT_EQ(refusal("epochs = 6", "epochs = 6\ncriterion = \"small_final\""),
            "r.toml:36: sparsify.criterion: expected one that drops the smallest with method gradual, found "
            "\"small_final\"");
  EXPECT_EQ(refusal("sparsity = \"80%\"", "sparsity = \"80%\"\npattern = \"2:4\""),
            "r.toml:30: sparsify.sparsity: expected none with pattern 2:4, which makes its own");
  EXPECT_EQ(refusal("epochs = 6", "epochs = 6\ncriterion = \"movement\""),
            "r.toml:36: sparsify.criterion: expected one told from the weights of now or from data, found "
            "\"movement\"");
  EXPECT_EQ(refusal("epochs = 6", "epochs = 6\ncalibration_batches = 2"),
            "r.toml:36: sparsify.calibration_batches: expected none with a criterion told from the weights");
  EXPECT_EQ(refusal("frequency = 10", "frequence = 10"),
            "r.toml:34: sparsify.frequence: unknown key; did you mean frequency?");
  EXPECT_NE(refusal("[train]", "[train"), "no error");
  EXPECT_NE(refusal("[train]", "[trains]").find("trains: unknown key; did you mean train?"), std::string::npos);
}

TEST(Recipe, ReadsThoseThatAreShown) {
  const std::filesystem::path source = COPPICE_SOURCE_FOLDER;
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source / "examples/recipes")) {
    EXPECT_NO_THROW(read(entry.path().string())) << entry.path();
    ++found;
  }
  EXPECT_GT(found, 0);
  std::ifstream file(source / "docs/recipes.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = page.find("```toml\n"), end = page.find("\n```", begin);
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(parse(page.substr(begin + 8, end - begin - 8)).seeds, 3);
}

}  // namespace
}  // namespace coppice::recipe
