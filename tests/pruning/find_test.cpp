#include "coppice/pruning/find.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/plan.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice::pruning {
namespace {

struct Job {
  Prepared prepared;
  std::vector<std::uint8_t> removed;
  graph::Model pruned;
};

Job job(const std::string& name, double ratio = 0.5, bool lively = true) {
  Job out{prepare(zoo::build(name, 3, {.image_side = 32, .lively = lively})), {}, {}};
  SelectOptions options;
  options.ratio = ratio;
  options.criterion = importance::Criterion::random;
  options.seed = 5;
  out.removed = select(out.prepared, options).removed;
  out.pruned = cut(out.prepared, out.removed);
  return out;
}

std::string refusal(const Prepared& original, const graph::Model& pruned) {
  try {
    find_removed(original, pruned);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Slices with which one number is changed.
void train(graph::Model& model, std::string_view name) {
  const graph::ValueId id = model.graph.find(name);
  const tensor::Tensor old = *model.graph.constant(id);
  std::vector<double> values(static_cast<std::size_t>(old.elements()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = tensor::element_as_double(old, static_cast<std::int64_t>(i)) * 1.001 + 1e-3;
  model.graph.set_constant(id, tensor::from_doubles(old.dtype, old.shape, values));
}

class FindRemoved : public testing::TestWithParam<const char*> {};

TEST_P(FindRemoved, RecoversARandomCut) {
  const Job j = job(GetParam());
  ASSERT_GT(std::accumulate(j.removed.begin(), j.removed.end(), 0), 100);
  EXPECT_EQ(find_removed(j.prepared, j.pruned), j.removed);
}

// Untrained batch norms are all ones and zeros: only the matrices tell.
TEST_P(FindRemoved, RecoversACutAmongEqualVectors) {
  const Job j = job(GetParam(), 0.3, false);
  EXPECT_EQ(find_removed(j.prepared, j.pruned), j.removed);
}

INSTANTIATE_TEST_SUITE_P(Zoo, FindRemoved,
                         testing::Values("resnet18", "mobilenet_v2", "gpt2_tiny", "llama_tiny", "lstm_tagger",
                                         "unet_gn", "densenet121", "shufflenet_v2_x1_0"),
                         [](const auto& model) { return std::string(model.param); });

TEST(FindRemoved, FindsNothingInAnUncutModel) {
  const graph::Model model = zoo::build("resnet18", 0, {.image_side = 32});
  const auto removed = find_removed(prepare(model), model);
  EXPECT_EQ(std::accumulate(removed.begin(), removed.end(), 0), 0);
}

TEST(FindRemoved, OfEqualSlicesTheLowestStay) {
  Job j = job("resnet18");
  // Every constant equal everywhere: only the counts say something.
  for (graph::Model* model : {&j.prepared.model, &j.pruned})
    for (std::size_t v = 0; v < model->graph.values.size(); ++v) {
      const auto id = static_cast<graph::ValueId>(v);
      const tensor::Tensor* tensor = model->graph.constant(id);
      if (!tensor || !tensor::is_real(tensor->dtype)) continue;
      const std::vector<double> ones(static_cast<std::size_t>(tensor->elements()), 1.0);
      model->graph.set_constant(id, tensor::from_doubles(tensor->dtype, tensor->shape, ones));
    }
  const auto removed = find_removed(j.prepared, j.pruned);
  const graph::ValueId stem = j.prepared.model.graph.find("conv1.weight");
  const auto kept = j.prepared.couplings.kept(j.prepared.couplings.axes(stem)[0], removed);
  std::vector<std::int64_t> first(32);
  std::iota(first.begin(), first.end(), 0);
  EXPECT_EQ(kept, first);
  EXPECT_EQ(fingerprint(cut(j.prepared, removed)), fingerprint(j.pruned));
}

TEST(FindRemoved, OneTrainedLayerDoesNotHideTheOthers) {
  Job j = job("resnet18");
  train(j.pruned, "layer1.0.conv1.weight");
  EXPECT_EQ(find_removed(j.prepared, j.pruned), j.removed);
}

TEST(FindRemoved, NamesTheParameterThatWasTrained) {
  Job j = job("resnet18");
  for (const graph::Initializer& initializer : std::vector(j.pruned.graph.initializers))
    if (tensor::is_real(initializer.tensor.dtype)) train(j.pruned, j.pruned.graph.name_of(initializer.value));
  const std::string text = refusal(j.prepared, j.pruned);
  EXPECT_NE(text.find("parameter \"conv1.weight\": no cut of the original's"), std::string::npos) << text;
  EXPECT_NE(text.find("needs its plan"), std::string::npos) << text;
}

TEST(FindRemoved, RefusesAnotherModel) {
  const Job j = job("resnet18");
  const std::string text = refusal(j.prepared, zoo::build("resnet50", 0, {.image_side = 32}));
  EXPECT_NE(text.find("expected a part of float32 "), std::string::npos) << text;
  const std::string longer = refusal(prepare(j.pruned), j.prepared.model);
  EXPECT_NE(
      longer.find("\"conv1.weight\": no cut of the original's: expected a part of float32 32x3x7x7, found float32 "
                  "64x3x7x7"),
      std::string::npos)
      << longer;
}

}  // namespace
}  // namespace coppice::pruning
