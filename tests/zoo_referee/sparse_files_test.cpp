#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/ort_referee.hpp"
#include "support/scratch.hpp"

// Files with zeros in them, in either encoding, run in ONNX Runtime with one result.
namespace coppice::test {
namespace {

/// The model with all its fp32 numbers in fp16, the inputs' too.
graph::Model halved(graph::Model model) {
  graph::Graph& graph = model.graph;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const auto id = static_cast<graph::ValueId>(i);
    if (const graph::Tensor* wide = graph.constant(id); wide && wide->dtype == graph::DType::float32) {
      const auto numbers = wide->as<float>();
      const std::vector<double> doubles(numbers.begin(), numbers.end());
      graph.set_constant(id, tensor::from_doubles(graph::DType::float16, wide->shape, doubles));
    }
    if (graph.values[i].dtype == graph::DType::float32) graph.values[i].dtype = graph::DType::float16;
  }
  return model;
}

struct Case {
  const char* model;
  bool half;
  sparsity::SparsifyOptions options;
  const char* name;
  bool shrinks;  ///< As sparse_initializer.
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

class SparseFiles : public testing::TestWithParam<Case> {};

TEST_P(SparseFiles, RunWithTheOutputsOfTheDenseFileWithTheSameZeros) {
  COPPICE_NEEDS_REFEREE();
  const Scratch scratch;
  graph::Model model = zoo::build(GetParam().model, 1, {.image_side = 64, .lively = true});
  if (GetParam().half) model = halved(std::move(model));
  RefereeOptions feeding;
  feeding.dim = 6;
  feeding.ranges["input_ids"] = {0, 1000};
  const std::string full = scratch / "full.onnx", dense = scratch / "dense.onnx", sparse = scratch / "sparse.onnx";
  formats::write_onnx(model, full);
  sparsity::Sparsifier(model, GetParam().options).apply(model);
  formats::write_onnx(model, dense);
  formats::write_onnx(model, sparse, {.encoding = formats::Encoding::sparse_initializer});
  const double ratio =
      static_cast<double>(std::filesystem::file_size(sparse)) / static_cast<double>(std::filesystem::file_size(dense));
  EXPECT_TRUE(GetParam().shrinks ? ratio < 0.9 : ratio == 1) << ratio;
  EXPECT_EQ(std::filesystem::file_size(full), std::filesystem::file_size(dense));
  const std::vector<RunReport> runs = Referee::shared().run({dense, sparse, full}, feeding);
  ASSERT_EQ(runs.size(), 3u);
  const Comparison same = judge(runs[0], runs[1]), moved = judge(runs[0], runs[2]);
  ASSERT_TRUE(same.ran) << same.error;
  EXPECT_EQ(same.rel_err, 0);
  EXPECT_GT(same.scale, 0.01);
  ASSERT_TRUE(moved.ran) << moved.error;
  EXPECT_GT(moved.rel_err, 0.01);  // the zeros do matter
  // Read and written again it is the dense file's model.
  const std::string again = scratch / "again.onnx";
  formats::write_onnx(formats::read_onnx(sparse), again);
  const Comparison back = Referee::shared().compare(dense, again, feeding);
  ASSERT_TRUE(back.ran) << back.error;
  EXPECT_EQ(back.rel_err, 0);
}

std::vector<Case> cases() {
  const sparsity::SparsifyOptions most{.sparsity = 0.8};
  const sparsity::SparsifyOptions two_of_four{.pattern = sparsity::parse_pattern("2:4")};
  sparsity::SparsifyOptions empty_layer{.sparsity = 0.8};
  empty_layer.layers = {{"layer4.0.conv1", 1.0}};
  return {{"resnet18", false, two_of_four, "ConvnetTwoOfFour", false},
          {"resnet18", false, most, "Convnet80", true},
          {"resnet18", false, empty_layer, "ConvnetWithAnEmptyLayer", true},
          {"resnet18", true, {.sparsity = 0.9}, "ConvnetHalf90", true},
          {"gpt2_tiny", false, two_of_four, "TransformerTwoOfFour", false},
          {"gpt2_tiny", false, most, "Transformer80", true},
          {"gpt2_tiny", true, {.sparsity = 0.9}, "TransformerHalf90", true}};
}

INSTANTIATE_TEST_SUITE_P(Models, SparseFiles, testing::ValuesIn(cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

// Weights that are inputs too can still be given at run time, and those that a branch captures are found there.
TEST(SparseFiles, AnInputWithADefaultRuns) {
  COPPICE_NEEDS_REFEREE();
  const Scratch scratch;
  graph::Model model = zoo::build("mlp", 1, {.lively = true});
  sparsity::Sparsifier(model, {.sparsity = 0.9}).apply(model);
  const std::string dense = scratch / "dense.onnx", sparse = scratch / "sparse.onnx";
  for (const std::int64_t version : {3, 4, 8}) {
    graph::Model listed = model;
    listed.ir_version = version;
    for (const graph::Initializer& initializer : model.graph.initializers) {
      graph::Value& value = listed.graph.values[static_cast<std::size_t>(initializer.value)];
      value.shape.emplace();
      for (const std::int64_t extent : initializer.tensor.shape) value.shape->push_back({extent, {}});
      listed.graph.inputs.push_back(initializer.value);
    }
    listed.graph.reindex();
    formats::write_onnx(listed, dense);
    formats::write_onnx(listed, sparse, {.encoding = formats::Encoding::sparse_initializer});
    EXPECT_LT(std::filesystem::file_size(sparse), std::filesystem::file_size(dense) / 2);
    const Comparison same = Referee::shared().compare(dense, sparse);
    ASSERT_TRUE(same.ran) << version << ": " << same.error;
    EXPECT_EQ(same.rel_err, 0);
    EXPECT_GT(same.scale, 0.01);
  }
}

}  // namespace
}  // namespace coppice::test
