#include <array>
#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/formats/safetensors_set.hpp"
#include "coppice/tensor/kernels.hpp"

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;
using tensor::DType;
using tensor::Tensor;

/// Numbers 1, 2, 3..., so that which of them go is known by hand.
Tensor ramp(DType dtype, tensor::Shape shape) {
  std::vector<double> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i + 1);
  return tensor::from_doubles(dtype, std::move(shape), values);
}

void write_shards(const Scratch& scratch) {
  formats::write_safetensors({{"up.weight", ramp(DType::float32, {2, 4})}, {"up.bias", ramp(DType::float32, {2})}},
                             scratch / "a.safetensors", {{{"format", "pt"}}});
  formats::write_safetensors(
      {{"lm_head.weight", ramp(DType::bfloat16, {2, 2})}, {"down.weight", ramp(DType::float16, {2, 3})}},
      scratch / "b.safetensors");
  write_file(scratch / "model.safetensors.index.json",
             R"({"metadata":{"total_size":60},"weight_map":{"up.weight":"a.safetensors","up.bias":"a.safetensors",
                "lm_head.weight":"b.safetensors","down.weight":"b.safetensors"}})");
}

std::vector<double> values(const std::string& path, const std::string& name) {
  const formats::SafetensorsFile file(path);
  const Tensor tensor = file.tensor(*file.find(name));
  std::vector<double> out;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) out.push_back(element_as_double(tensor, i));
  return out;
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(SparsifyCheckpoint, OfOneFileChangesTheWeightsAlone) {
  const Scratch scratch;
  write_shards(scratch);
  const std::string in = scratch / "a.safetensors", out = scratch / "out.safetensors";
  const Json report = run_json({"sparsify", in, "-o", out, "--sparsity", "50%"});
  EXPECT_EQ(report["weights"], 8);
  EXPECT_EQ(report["zeros"]["after"], 4);
  EXPECT_EQ(report["bytes"]["after"], read_file(out).size());
  EXPECT_EQ(values(out, "up.weight"), (std::vector<double>{0, 0, 0, 0, 5, 6, 7, 8}));
  EXPECT_EQ(values(out, "up.bias"), (std::vector<double>{1, 2}));
  // All but the zeros is as it was.
  const std::string before = read_file(in), after = read_file(out);
  const std::size_t begin = before.size() - 8 * 4 - 2 * 4;
  EXPECT_EQ(after.substr(0, begin), before.substr(0, begin));
  EXPECT_EQ(after.substr(begin, 16), std::string(16, '\0'));
  EXPECT_EQ(after.substr(begin + 16), before.substr(begin + 16));
  // Nothing to change: the same file. In place: the same as apart.
  EXPECT_EQ(run({"sparsify", in, "-o", scratch / "same", "--sparsity", "0"}).code, 0);
  EXPECT_EQ(read_file(scratch / "same"), before);
  EXPECT_EQ(run({"sparsify", in, "-o", in, "--sparsity", "50%", "--threads", "7"}).code, 0);
  EXPECT_EQ(read_file(in), after);
}

TEST(SparsifyCheckpoint, OfPackedWeightsIsRefused) {
  const Scratch scratch;
  write_shards(scratch);
  const std::string packed = scratch / "packed.safetensors";
  ASSERT_EQ(run({"pack", scratch / "a.safetensors", "-o", packed}).code, 0);
  const Outcome refused = run({"sparsify", packed, "-o", scratch / "out.safetensors", "--sparsity", "50%"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("packed.safetensors: is packed"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "out.safetensors"));
}

TEST(SparsifyCheckpoint, OfShardsGoesToAFolder) {
  const Scratch scratch;
  write_shards(scratch);
  const std::string out = scratch / "new";
  const Json report = run_json({"sparsify", scratch / "", "-o", out, "--sparsity", "50%", "--context", "global"});
  EXPECT_EQ(report["zeros"]["after"], 7);
  EXPECT_EQ(report["left"][0]["reason"], "an output head, by its name");
  EXPECT_EQ(files_in(out), 3u);
  // 1 to 8 and 1 to 6: the smaller half of all is 1, 2 and 3 of both, and of the fours the first.
  EXPECT_EQ(values(out + "/a.safetensors", "up.weight"), (std::vector<double>{0, 0, 0, 0, 5, 6, 7, 8}));
  EXPECT_EQ(values(out + "/b.safetensors", "down.weight"), (std::vector<double>{0, 0, 0, 4, 5, 6}));
  EXPECT_EQ(values(out + "/b.safetensors", "lm_head.weight"), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(read_file(out + "/model.safetensors.index.json"), read_file(scratch / "model.safetensors.index.json"));
  // By the index, onto itself, a layer more by name.
  const std::string index = out + "/model.safetensors.index.json";
  EXPECT_EQ(run({"sparsify", index, "-o", out, "--layer", "lm_head=50%", "--ignore", "up"}).code, 0);
  EXPECT_EQ(values(out + "/b.safetensors", "lm_head.weight"), (std::vector<double>{0, 0, 3, 4}));
  EXPECT_EQ(run_json({"sparsify", out, "--pattern", "2:4", "--dry-run"})["zeros"]["after"],
            6);  // of [0 0 0 0; 5 6 7 8]
  const Json inspected = run_json({"inspect", out});
  EXPECT_EQ(inspected["zeros"], 9);
}

TEST(SparsifyCheckpoint, LeavesTheTargetOnFailure) {
  const Scratch scratch;
  write_shards(scratch);
  const std::string file = scratch / "a.safetensors", bytes = read_file(file);
  const auto expect = [&](const std::vector<std::string>& arguments, const std::string& says) {
    const std::size_t before = files_in(scratch / "");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    EXPECT_EQ(files_in(scratch / ""), before);
  };
  const std::string new_folder = scratch / "new";
  expect({"sparsify", scratch / "", "-o", new_folder, "--pattern", "2:64"}, "nothing to sparsify");
  expect({"sparsify", scratch / "", "-o", file, "--sparsity", "50%"}, "expected a folder");
  expect({"sparsify", file, "-o", scratch / "", "--sparsity", "50%"}, "found a folder");
  expect({"sparsify", file, "-o", file, "--sparsity", "50%", "--layer", "pu=10%"}, "\"pu\"");
  EXPECT_EQ(run({"sparsify", file, "-o", file, "--pattern", "2:4", "--criterion", "wanda", "--data", "x.npy"}).code, 2);
  // A weight of the second shard is no number, which shows only once the first is written.
  const std::vector<float> nan{1, std::numeric_limits<float>::quiet_NaN()};
  formats::write_safetensors({{"lm_head.weight", ramp(DType::bfloat16, {2, 2})},
                              {"down.weight", Tensor::of<float>(DType::float32, {1, 2}, nan)}},
                             scratch / "b.safetensors");
  write_file(scratch / "model.safetensors.index.json",
             R"({"weight_map":{"up.weight":"a.safetensors","up.bias":"a.safetensors",
                "lm_head.weight":"b.safetensors","down.weight":"b.safetensors"}})");
  expect({"sparsify", scratch / "", "-o", new_folder, "--sparsity", "50%"},
         "index.json: down.weight: expected numbers");
  expect({"sparsify", scratch / "", "-o", scratch / "", "--sparsity", "50%"}, "down.weight: expected numbers");
  EXPECT_EQ(read_file(file), bytes);
}

/// The weights of a zoo network as a checkpoint.
void write_zoo(const std::string& path, const std::string& seed) {
  EXPECT_EQ(run({"zoo", "mlp", "--seed", seed, "-o", path + ".onnx"}).code, 0);
  const graph::Model model = formats::read_onnx(path + ".onnx");
  std::vector<formats::NamedTensor> tensors;
  for (const graph::Initializer& initializer : model.graph.initializers)
    tensors.push_back({std::string(model.graph.name_of(initializer.value)), initializer.tensor});
  formats::write_safetensors(tensors, path);
}

TEST(SparsifyCheckpoint, MasksAreThoseOfTheGraph) {
  const Scratch scratch;
  const std::string file = scratch / "mlp.safetensors", other = scratch / "other.safetensors";
  write_zoo(file, "0");
  write_zoo(other, "1");
  const std::string graph = zoo_file("mlp"), a = scratch / "a.masks", b = scratch / "b.masks";
  for (const std::vector<std::string>& how : std::vector<std::vector<std::string>>{
           {"--sparsity", "70%"}, {"--sparsity", "70%", "--context", "global"}, {"--pattern", "2:4"}}) {
    const auto with = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.end(), how.begin(), how.end());
      return run(arguments).code;
    };
    ASSERT_EQ(with({"sparsify", graph, "--dry-run", "--masks-out", a}), 0);
    ASSERT_EQ(with({"sparsify", file, "-o", scratch / "sparse.safetensors", "--masks-out", b}), 0);
    EXPECT_EQ(read_file(a), read_file(b));
    ASSERT_EQ(with({"sparsify", file, "--dry-run", "--masks-out", b}), 0);
    EXPECT_EQ(read_file(a), read_file(b));
    // Again into what they were chosen for, from the graph's masks too; and where training went on.
    ASSERT_EQ(run({"sparsify", file, "-o", scratch / "again.safetensors", "--masks", a}).code, 0);
    EXPECT_EQ(read_file(scratch / "again.safetensors"), read_file(scratch / "sparse.safetensors"));
  }
  const Json report = run_json({"sparsify", other, "-o", other, "--masks", a, "--masks-out", b});
  EXPECT_EQ(report["zeros"]["after"], 117376);  // half of 784 x 256 + 256 x 128 + 128 x 10
  EXPECT_EQ(read_file(a), read_file(b));
  const Json inspected = run_json({"inspect", other, "--tensors", "fc2.weight"});
  EXPECT_EQ(inspected["tensors"][0]["patterns"][0], "2:4");
}

TEST(SparsifyCheckpoint, MasksOfShardsGoWhereTheyAreWanted) {
  const Scratch scratch;
  write_shards(scratch);
  const std::string out = scratch / "new", masks = out + "/masks";
  EXPECT_EQ(run({"sparsify", scratch / "", "-o", out, "--sparsity", "50%", "--masks-out", masks}).code, 0);
  EXPECT_EQ(files_in(out), 4u);
  // 1 to 8: the first four go.
  const formats::SafetensorsFile file(masks);
  EXPECT_EQ(std::to_integer<int>(file.bytes(*file.find("up.weight")).span()[0]), 0b11110000);
  EXPECT_EQ(std::to_integer<int>(file.bytes(*file.find("down.weight")).span()[0]), 0b00111000);
  EXPECT_FALSE(file.find("lm_head.weight"));
  const Json report = run_json({"sparsify", scratch / "", "-o", scratch / "", "--masks", masks});
  EXPECT_EQ(report["zeros"]["after"], 7);
  EXPECT_TRUE(report["left"].empty());
  for (const char* name : {"a.safetensors", "b.safetensors"})
    EXPECT_EQ(read_file(scratch / name), read_file(out + "/" + name));
}

TEST(SparsifyCheckpoint, MasksThatDoNotFitLeaveTheTarget) {
  const Scratch scratch;
  write_shards(scratch);
  const std::string masks = scratch / "masks", folder = scratch / "", out = scratch / "out";
  const auto write = [&](const std::string& name, const std::string& shape, std::uint8_t bits) {
    formats::write_safetensors({{name, Tensor::of<std::uint8_t>(DType::uint8, {1}, std::array{bits})}}, masks,
                               {{{"coppice", "masks 1"}, {"shape of " + name, shape}}});
  };
  const auto expect = [&](const std::vector<std::string>& options, int code, const std::string& says) {
    std::vector<std::string> arguments{"sparsify", folder, "-o", out};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const std::string before = read_file(scratch / "a.safetensors");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code);
    EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_EQ(read_file(scratch / "a.safetensors"), before);
  };
  write("up.weight", "4x2", 1);
  expect({"--masks", masks}, 1, "index.json: up.weight: expected 4x2 real numbers, found 2x4 of float32");
  write("gone.weight", "2x4", 1);
  expect({"--masks", masks}, 1, "gone.weight: the model has no such weight");
  write("down.weight", "2x3", 0xff);
  expect({"--masks", masks}, 1, "mask of down.weight: expected zeros behind its last bit");
  write("down.weight", "2x3", 7);
  expect({"--masks", masks, "--sparsity", "50%"}, 2, "--masks decides by itself");
  expect({"--masks", scratch / "a.safetensors"}, 1, "expected a file of masks");
  expect({"--masks", scratch / "none"}, 1, "none");
  const std::string other = "expected another file than those of the checkpoint";
  expect({"--sparsity", "50%", "--masks-out", scratch / "b.safetensors"}, 2, other);
  expect({"--sparsity", "50%", "--masks-out", scratch / "model.safetensors.index.json"}, 2, other);
  expect({"--sparsity", "50%", "--masks-out", out + "/a.safetensors"}, 2, other);
  expect({"--sparsity", "50%", "--masks-out", scratch / "nowhere/m"}, 1, "nowhere");
  EXPECT_EQ(run({"sparsify", scratch / "a.safetensors", "--dry-run", "--sparsity", "50%", "--masks-out",
                 scratch / "a.safetensors"})
                .code,
            2);
  expect({"--sparsity", "50%", "--criterion", "sparse_gpt", "--data", "x.npy"}, 2, "a checkpoint has no graph to run");
}

}  // namespace
}  // namespace coppice::test
