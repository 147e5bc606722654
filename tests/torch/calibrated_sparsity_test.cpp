#include "coppice/torch/calibrated_sparsity.hpp"

#include <limits>
#include <map>

#include <gtest/gtest.h>
#include <torch/nn.h>

#include "coppice/pruning/prepare.hpp"
#include "coppice/torch/random_inputs.hpp"
#include "coppice/torch/tensors.hpp"
#include "coppice/torch/trace.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/message.hpp"
#include "torch/sparse/layer_view.hpp"

namespace coppice {
namespace {

using test::message;

// What an executor's node gives is what the view's rows and matrices give: x of the layer, and its output.
void expect_view(const graph::Model& model, std::vector<at::Tensor> inputs, const std::vector<std::string>& biasless) {
  GraphModule module(model);
  const graph::Model view = module.view();
  std::size_t seen = 0;
  for (const sparsity::Site& site : sparsity::find_sites(view.graph)) {
    if (std::find(biasless.begin(), biasless.end(), site.name) == biasless.end()) continue;
    ASSERT_FALSE(sparse::LayerView::obstacle(view, site)) << *sparse::LayerView::obstacle(view, site);
    const sparse::LayerView layer(view, site);
    const at::Tensor weight = module.constants().at(site.name).detach();
    const at::Tensor matrices = layer.matrices(weight);
    EXPECT_TRUE(layer.weight(matrices).equal(weight)) << site.name;
    at::Tensor given, got;
    const int in = module.observe(layer.input(), [&](at::Tensor& value) { given = value.detach(); });
    const int out = module.observe(view.graph.name_of(view.graph.nodes[site.node].output(0)),
                                   [&](at::Tensor& value) { got = value.detach(); });
    module.run(inputs);
    module.forget(in);
    module.forget(out);
    std::vector<std::vector<at::Tensor>> parts(static_cast<std::size_t>(layer.groups()));
    layer.for_each_rows(given, [&](std::int64_t group, const at::Tensor& rows) {
      ASSERT_EQ(rows.size(1), layer.columns());
      parts[static_cast<std::size_t>(group)].push_back(rows.matmul(matrices[group].t()));
    });
    std::vector<at::Tensor> groups;
    for (const auto& part : parts) groups.push_back(at::cat(part));
    const at::Tensor product = at::cat(groups, 1);  // [places, outputs]
    // Channels last, as the rows have them.
    const bool behind = site.operand == 0 && !site.convolution();
    if (site.convolution())
      got = got.flatten(2).transpose(1, 2);
    else if (behind)
      got = got.transpose(-1, -2);
    EXPECT_TRUE(at::allclose(product, got.reshape({-1, got.size(-1)}), 1e-4, 1e-5)) << site.name;
    ++seen;
  }
  EXPECT_EQ(seen, biasless.size());
}

struct Convolutions : torch::nn::Module {
  Convolutions() {
    using Options = torch::nn::Conv2dOptions;
    torch::manual_seed(1);
    a = register_module("a", torch::nn::Conv2d(Options(4, 8, {3, 2}).stride({2, 1}).padding({1, 0}).bias(false)));
    b = register_module("b", torch::nn::Conv2d(Options(8, 12, 3).groups(4).dilation({1, 2}).padding(2).bias(false)));
    c = register_module("c", torch::nn::Conv2d(Options(12, 5, 1).bias(false)));
    d = register_module("d", torch::nn::Linear(torch::nn::LinearOptions(5, 6).bias(false)));
  }
  at::Tensor forward(const at::Tensor& x) { return d(c(b(a(x).relu()).relu()).mean({2, 3}).relu()); }
  torch::nn::Conv2d a{nullptr}, b{nullptr}, c{nullptr};
  torch::nn::Linear d{nullptr};
};

TEST(LayerView, IsWhatConvolutionsCompute) {
  const auto net = std::make_shared<Convolutions>();
  const at::Tensor x = at::randn({3, 4, 9, 8});
  expect_view(trace(net, {x}), {x}, {"a.weight", "b.weight", "c.weight", "d.weight"});
}

GraphModule small_graph() {
  return GraphModule(zoo::build("fashion_resnet20", 3));
}

std::vector<Batch> pictures(std::int64_t batches) {
  torch::manual_seed(7);
  std::vector<Batch> out;
  for (std::int64_t i = 0; i < batches; ++i) out.push_back({{at::randn({16, 1, 28, 28})}, {}});
  return out;
}

CalibratedOptions options(SparsityMethod method, double share) {
  CalibratedOptions out;
  out.method = method;
  out.what.sparsity = share;
  out.calibration.data = pictures(2);
  return out;
}

// On random data too, what makes up for the lost weights loses least, and what knows the inputs less than what does
// not.
TEST(CalibratedSparsity, RanksTheMethods) {
  std::map<SparsityMethod, double> errors;
  for (const SparsityMethod method : {SparsityMethod::magnitude, SparsityMethod::wanda, SparsityMethod::sparse_gpt}) {
    GraphModule module = small_graph();
    const CalibratedReport report = sparsify_calibrated(module, options(method, 0.5));
    EXPECT_EQ(report.samples, 32);
    EXPECT_TRUE(report.left.empty());
    for (const CalibratedLayer& layer : report.layers) {
      errors[method] += layer.error / static_cast<double>(report.layers.size());
      EXPECT_NEAR(static_cast<double>(layer.zeros) / static_cast<double>(layer.weights), 0.5, 0.07) << layer.name;
      EXPECT_EQ(module.constants().at(layer.name).eq(0).sum().item<std::int64_t>(), layer.zeros);
    }
    EXPECT_FALSE(module.is_training());
  }
  EXPECT_LT(errors[SparsityMethod::sparse_gpt], errors[SparsityMethod::wanda]);
  EXPECT_LT(errors[SparsityMethod::wanda], errors[SparsityMethod::magnitude]);
}

struct Grouped : torch::nn::Module {
  Grouped(int inputs, int outputs, int groups) {
    const auto options = torch::nn::Conv2dOptions(inputs, outputs, 3).groups(groups).bias(false);
    conv = register_module("conv", torch::nn::Conv2d(options));
    out = register_module("out", torch::nn::Conv2d(torch::nn::Conv2dOptions(outputs, 2, 1)));
  }
  at::Tensor forward(const at::Tensor& x) { return out(conv(x)); }
  torch::nn::Conv2d conv{nullptr}, out{nullptr};
};

CalibratedOptions of_conv(SparsityMethod method, const at::Tensor& x) {
  CalibratedOptions out = options(method, 0.5);
  out.what.ignore = {"out"};
  out.calibration.data = std::vector<Batch>{{{x}, {}}};
  return out;
}

// The groups of a convolution see different channels, here of very different sizes: each is made sparse as the
// convolution of its channels alone is.
TEST(CalibratedSparsity, GroupsKnowTheirOwnInputs) {
  torch::manual_seed(3);
  const at::Tensor x = at::randn({4, 4, 9, 9}) * at::tensor({10.0F, 0.1F, 0.1F, 10.0F}).view({1, 4, 1, 1});
  const auto whole = std::make_shared<Grouped>(4, 8, 2);
  for (const SparsityMethod method : {SparsityMethod::wanda, SparsityMethod::sparse_gpt}) {
    GraphModule module(trace(whole, {x}));
    sparsify_calibrated(module, of_conv(method, x));
    const at::Tensor made = module.constants().at("conv.weight").detach();
    for (std::int64_t group = 0; group < 2; ++group) {
      const auto part = std::make_shared<Grouped>(2, 4, 1);
      {
        const at::NoGradGuard no_gradients;
        part->conv->weight.copy_(whole->conv->weight.narrow(0, group * 4, 4));
      }
      const at::Tensor seen = x.narrow(1, group * 2, 2).contiguous();
      GraphModule alone(trace(part, {seen}));
      sparsify_calibrated(alone, of_conv(method, seen));
      EXPECT_TRUE(at::allclose(made.narrow(0, group * 4, 4), alone.constants().at("conv.weight").detach(), 1e-6, 1e-7))
          << to_string(method) << ", group " << group;
    }
  }
}

// Nine weights a channel: half of all is 18 of 36, not four of each nine.
TEST(CalibratedSparsity, CountsOverAllGroups) {
  torch::manual_seed(4);
  const at::Tensor x = at::randn({4, 4, 9, 9});
  const auto net = std::make_shared<Grouped>(4, 4, 4);
  for (const SparsityMethod method : {SparsityMethod::magnitude, SparsityMethod::sparse_gpt}) {
    GraphModule module(trace(net, {x}));
    const CalibratedReport report = sparsify_calibrated(module, of_conv(method, x));
    ASSERT_EQ(report.layers.size(), 1U);
    EXPECT_EQ(report.layers.front().zeros, 18) << to_string(method);
  }
}

// What a second use loses is not looked at, so such a weight is left.
TEST(CalibratedSparsity, LeavesWeightsOfTwoLayers) {
  struct Twice : torch::nn::Module {
    Twice() {
      same = register_module("same", torch::nn::Linear(torch::nn::LinearOptions(6, 6).bias(false)));
      once = register_module("once", torch::nn::Linear(6, 6));
      out = register_module("out", torch::nn::Linear(6, 2));
    }
    at::Tensor forward(const at::Tensor& x) { return out(same(once(same(x).relu()).relu()).relu()); }
    torch::nn::Linear same{nullptr}, once{nullptr}, out{nullptr};
  };
  torch::manual_seed(5);
  const at::Tensor x = at::randn({20, 6});
  GraphModule module(trace(std::make_shared<Twice>(), {x}));
  const CalibratedReport report = sparsify_calibrated(module, of_conv(SparsityMethod::wanda, x));
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers.front().layer, "once");
  ASSERT_FALSE(report.left.empty());
  EXPECT_NE(report.left.front().reason.find("also read by"), std::string::npos) << report.left.front().reason;
}

TEST(CalibratedSparsity, MakesPatterns) {
  GraphModule module = small_graph();
  CalibratedOptions given = options(SparsityMethod::sparse_gpt, 0);
  given.what.pattern = sparsity::parse_pattern("2:4");
  const CalibratedReport report = sparsify_calibrated(module, given);
  ASSERT_EQ(report.left.size(), 1U);  // one channel comes in
  EXPECT_NE(report.left[0].reason.find("no multiple of 4"), std::string::npos);
  for (const CalibratedLayer& layer : report.layers) {
    at::Tensor weight = module.constants().at(layer.name).detach();
    const at::Tensor runs = weight.dim() == 4 ? weight.permute({0, 2, 3, 1}).reshape({-1, 4}) : weight.reshape({-1, 4});
    EXPECT_TRUE(runs.eq(0).sum(1).ge(2).all().item<bool>()) << layer.name;
    EXPECT_EQ(2 * layer.zeros, layer.weights);
  }
}

TEST(CalibratedSparsity, FeedsLayersWithWhatIsSparseAlready) {
  GraphModule all = small_graph(), last = small_graph();
  const CalibratedReport report = sparsify_calibrated(all, options(SparsityMethod::wanda, 0.5));
  // The last layer alone, in a model whose others are sparse: the same inputs, the same choice.
  std::map<std::string, at::Tensor> from = all.constants(), to = last.constants();
  CalibratedOptions given = options(SparsityMethod::wanda, 0.5);
  const std::string name = report.layers.back().name;
  for (const CalibratedLayer& layer : report.layers) {
    if (layer.name == name) continue;
    const at::NoGradGuard no_gradients;
    to.at(layer.name).copy_(from.at(layer.name));
    given.what.ignore.push_back(layer.name);
  }
  const CalibratedReport again = sparsify_calibrated(last, given);
  ASSERT_EQ(again.layers.size(), 1U);
  EXPECT_EQ(again.layers[0].error, report.layers.back().error);
  EXPECT_TRUE(from.at(name).equal(to.at(name)));
}

TEST(CalibratedSparsity, SparesLayersWithOutliers) {
  GraphModule module = small_graph();
  CalibratedOptions given = options(SparsityMethod::wanda, 0.6);
  given.owl = true;
  given.owl_multiple = 3;
  const CalibratedReport report = sparsify_calibrated(module, given);
  double weights = 0, zeros = 0, least = 1, most = 0;
  for (const CalibratedLayer& layer : report.layers) {
    const double share = static_cast<double>(layer.zeros) / static_cast<double>(layer.weights);
    weights += static_cast<double>(layer.weights);
    zeros += static_cast<double>(layer.zeros);
    least = std::min(least, share);
    most = std::max(most, share);
  }
  EXPECT_NEAR(zeros / weights, 0.6, 0.02);
  EXPECT_LE(most - least, 0.16 + 0.08);
  EXPECT_GT(most - least, 0.1);
}

TEST(CalibratedSparsity, LayersWithTheirOwnShareDoNotMoveThoseOfOthers) {
  GraphModule module = small_graph();
  CalibratedOptions given = options(SparsityMethod::wanda, 0.6);
  given.owl = true;
  given.owl_multiple = 3;
  const std::string own = sparsify_calibrated(module, given).layers.front().layer;
  GraphModule fresh = small_graph();
  given.what.layers = {{own, 0.05}};
  double weights = 0, zeros = 0;
  for (const CalibratedLayer& layer : sparsify_calibrated(fresh, given).layers) {
    if (layer.layer == own) continue;
    weights += static_cast<double>(layer.weights);
    zeros += static_cast<double>(layer.zeros);
  }
  EXPECT_NEAR(zeros / weights, 0.6, 0.02);
}

struct SideBySide : torch::nn::Module {
  SideBySide() {
    torch::manual_seed(1);
    query = register_module("query", torch::nn::Linear(16, 8));
    key = register_module("key", torch::nn::Linear(16, 8));
    value = register_module("value", torch::nn::Linear(16, 12));
  }
  at::Tensor forward(const at::Tensor& x) { return at::cat({query(x), key(x), value(x)}, 1); }
  torch::nn::Linear query{nullptr}, key{nullptr}, value{nullptr};
};

TEST(CalibratedSparsity, LayersOfOneInputAreWhatTheyWereAlone) {
  const std::vector<std::string> names{"query.weight", "key.weight", "value.weight"};
  torch::manual_seed(5);
  const at::Tensor x = at::randn({64, 16}) * at::linspace(0.1, 3, 16);
  const auto sparse = [&](SparsityMethod method, const std::vector<std::string>& ignored) {
    GraphModule module(trace(std::make_shared<SideBySide>(), {x}));
    CalibratedOptions given = options(method, 0.5);
    given.calibration.data = std::vector<Batch>{{{x}, {}}};
    given.what.ignore = ignored;
    const CalibratedReport report = sparsify_calibrated(module, given);
    EXPECT_EQ(report.layers.size() + ignored.size(), names.size());
    return module.constants();
  };
  for (const SparsityMethod method : {SparsityMethod::wanda, SparsityMethod::sparse_gpt}) {
    const std::map<std::string, at::Tensor> together = sparse(method, {});
    for (const std::string& name : names) {
      std::vector<std::string> others = names;
      others.erase(std::find(others.begin(), others.end(), name));
      EXPECT_TRUE(together.at(name).equal(sparse(method, others).at(name))) << name;
    }
  }
}

TEST(CalibratedSparsity, ReachesTransformers) {
  GraphModule module(zoo::build("gpt2_tiny", 1));
  CalibratedOptions given = options(SparsityMethod::sparse_gpt, 0.5);
  const pruning::Prepared prepared = pruning::prepare(module.view());
  const std::vector<at::Tensor> inputs = random_inputs(prepared.model, prepared.worlds.counting, 1);
  given.calibration.data = std::vector<Batch>{{inputs, {}}};
  given.what.keep_classifier = true;
  CalibratedReport report = sparsify_calibrated(module, given);
  EXPECT_EQ(report.left.at(0).reason, "output layer");
  given.what.keep_classifier = false;
  report = sparsify_calibrated(module, given);
  ASSERT_EQ(report.left.size(), 1U);
  EXPECT_EQ(report.left[0].reason, "also read by Gather \"transformer.wte\"");
  EXPECT_GE(report.layers.size(), 8U);
  for (const CalibratedLayer& layer : report.layers) EXPECT_LT(layer.error, 0.5) << layer.name;
}

TEST(CalibratedSparsity, LeavesTheModuleAloneOnErrors) {
  GraphModule module = small_graph();
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : module.constants()) before[name] = tensor.detach().clone();
  CalibratedOptions given = options(SparsityMethod::wanda, 0.5);
  int calls = 0;
  struct Failing : base::Progress {
    explicit Failing(int& count) : calls(count) {}
    void advance(std::uint64_t) override {
      if (++calls == 3) throw Error("enough");
    }
    int& calls;
  } progress(calls);
  given.progress = &progress;
  EXPECT_EQ(message([&] { sparsify_calibrated(module, given); }), "enough");
  for (const auto& [name, tensor] : module.constants()) EXPECT_TRUE(tensor.equal(before.at(name))) << name;
}

TEST(CalibratedSparsity, SaysWhatIsWrong) {
  GraphModule module = small_graph();
  const auto refusal = [&](auto change) {
    CalibratedOptions given = options(SparsityMethod::wanda, 0.5);
    change(given);
    return message([&] { sparsify_calibrated(module, given); });
  };
  EXPECT_EQ(refusal([](auto& o) { o.what.sparsity = 1.5; }), "sparsity: expected 0 to 1, found 1.500000");
  EXPECT_NE(refusal([](auto& o) {
              o.what.sparsity = 1;
            }).find(": sparsity: expected a share from 0 to below 1, found 1.000000"),
            std::string::npos);
  EXPECT_EQ(refusal([](auto& o) { o.what.context = sparsity::Context::global; }),
            "calibrated sparsity: expected granularity, context and criterion left alone, found others");
  EXPECT_EQ(refusal([](auto& o) { o.what.scores.emplace("fc.weight", tensor::Tensor()); }),
            "calibrated sparsity: expected no scores, found those of fc.weight");
  EXPECT_EQ(refusal([](auto& o) { o.what.pattern = sparsity::parse_pattern("4x4"); }),
            "calibrated sparsity: expected no pattern or N:M, found 4x4");
  EXPECT_EQ(refusal([](auto& o) { o.calibration.data = {}; }),
            "calibrated sparsity: expected calibration data, found none");
  EXPECT_EQ(refusal([](auto& o) {
              o.owl = true;
              o.what.pattern = sparsity::parse_pattern("2:4");
            }),
            "pattern 2:4 makes the sparsity of every layer; found owl");
  EXPECT_NE(refusal([](auto& o) { o.what.ignore = {"nothing"}; }).find("no layer with weights of that name"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& o) {
              o.calibration.data = std::vector<Batch>{{{at::ones({2, 3})}, {}}};
            }).find("calibration batch 0"),
            std::string::npos);
  EXPECT_EQ(refusal([](auto& o) { o.what.ignore = {"*"}; }).rfind("nothing to sparsify: all", 0), 0U);
  for (const sparsity::Site& site : sparsity::find_sites(module.view().graph))
    module.constants().at(site.name).detach().flatten()[2] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(refusal([](auto&) {}).find(": expected finite numbers, found another as weight 2"), std::string::npos);
}

}  // namespace
}  // namespace coppice
