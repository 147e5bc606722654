#include "coppice/analysis/locks.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/prepare.hpp"

#include "torch_nets.hpp"
#include "trace_cases.hpp"

namespace coppice::test {
namespace {

using namespace torch::nn;
using In = const std::vector<at::Tensor>&;

std::string failure(const Callable& module, In inputs) {
  try {
    trace(module, inputs);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::vector<at::Tensor> copies(const torch::nn::Module& module) {
  std::vector<at::Tensor> out;
  for (const at::Tensor& tensor : module.parameters()) out.push_back(tensor.detach().clone());
  for (const at::Tensor& tensor : module.buffers()) out.push_back(tensor.detach().clone());
  return out;
}

TEST(TraceState, LeavesTheModuleAsItWas) {
  for (const bool evaluation : {true, false}) {
    Sequential net(Linear(4, 6), BatchNorm1d(6), Dropout(0.5), Linear(6, 2));
    net->train();
    net[1]->eval();
    const std::vector<at::Tensor> before = copies(*net);
    at::manual_seed(3);
    const at::Tensor next = at::rand({4});
    at::manual_seed(3);
    const at::Tensor x = at::ones({3, 4}).requires_grad_(true);
    trace(net, {x}, {.evaluation = evaluation});
    EXPECT_TRUE(at::rand({4}).equal(next));
    EXPECT_TRUE(net->is_training());
    EXPECT_FALSE(net[1]->is_training());
    EXPECT_TRUE(net[2]->is_training());
    const std::vector<at::Tensor> after = copies(*net);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(before[i].equal(after[i])) << i;
    for (const at::Tensor& parameter : net->parameters()) EXPECT_FALSE(parameter.grad().defined());
  }
}

TEST(TraceState, RestoresRunningStatisticsOfATrainingTrace) {
  BatchNorm1d norm(4);
  const at::Tensor mean = norm->running_mean.clone(), seen = norm->num_batches_tracked.clone();
  const graph::Model model = trace(norm, {random({8, 4})}, {.evaluation = false});
  EXPECT_TRUE(norm->running_mean.equal(mean));
  EXPECT_TRUE(norm->num_batches_tracked.equal(seen));
  ASSERT_EQ(model.graph.nodes.size(), 1U);
  EXPECT_EQ(model.graph.nodes[0].int_or("training_mode", 0), 1);
}

TEST(TraceState, KeepsInputsThatTheModuleWritesTo) {
  const at::Tensor x = at::full({2}, -1.0);
  EXPECT_TRACES_WITHIN(1e-6, function([](In in) { return in[0].clone().relu_() - 1; }), {x});
  trace(function([](In in) { return at::relu_(const_cast<at::Tensor&>(in[0])); }), {x});
  EXPECT_TRUE(x.equal(at::full({2}, -1.0)));
}

TEST(TraceState, ReadsASharedParameterFromOneInitializer) {
  struct Tied : torch::nn::Module {
    Tied() : in(register_module("in", Embedding(10, 4))), out(register_module("out", Linear(4, 10))) {
      out->weight = in->weight;
    }
    at::Tensor forward(const at::Tensor& x) { return out(in(x)); }
    Embedding in;
    Linear out;
  };
  const auto tied = std::make_shared<Tied>();
  const graph::Model model = trace(tied, {indices(10, {2, 3})});
  EXPECT_EQ(model.graph.initializers.size(), 2U);
  EXPECT_NE(model.graph.find("in.weight"), graph::no_value);
  EXPECT_EQ(pruning::prepare(model).untied.size(), 0U);
}

TEST(TraceState, NamesWhatItCannotTrace) {
  EXPECT_NE(failure(Linear(4, 3), {random({2, 5})}).find("forward() failed: mat1 and mat2"), std::string::npos);
  EXPECT_NE(failure(Linear(4, 3), {}).find("takes no 0 tensors"), std::string::npos);
  EXPECT_EQ(failure(Linear(4, 3), {at::Tensor()}), "example input 0 is an undefined tensor");
  EXPECT_NE(failure(function([](In) { return at::Tensor(); }), {random({2})}).find("output 0 is an undefined"),
            std::string::npos);
  Linear linear(4, 3);
  const Callable writes(linear, [linear](In in) mutable {
    linear->weight.add_(1);
    return std::vector<at::Tensor>{linear(in[0])};
  });
  EXPECT_EQ(failure(writes, {random({2, 4})}), "the module's forward() writes to its parameter \"weight\"");
}

TEST(TraceState, LocksWhatAnUnmappedOperatorTouches) {
  Linear first(4, 6), second(6, 2);
  Sequential net(first, second);
  const graph::Model model = trace(
      Callable(net,
               [first, second](In in) mutable { return std::vector<at::Tensor>{second(at::digamma(first(in[0])))}; }),
      {random({2, 4})});
  EXPECT_EQ(unmapped_operators(model), std::vector<std::string>{"aten.digamma \"digamma\""});
  const pruning::Prepared prepared = pruning::prepare(model);
  bool named = false;
  for (const analysis::LockRow& row : analysis::locks(prepared))
    named = named || (row.reason == coupling::Reason::unknown_operator && row.where == "aten.digamma \"digamma\"");
  EXPECT_TRUE(named);
  // Without it the six are free.
  const pruning::Prepared free = pruning::prepare(trace(net, {random({2, 4})}));
  std::size_t units = 0;
  for (const auto& group : free.couplings.groups()) units += group.units.size();
  EXPECT_EQ(units, 6U);
}

// The first layer's hidden units: their rows in each gate of both directions, and their columns in the second layer.
TEST(TraceState, CouplesThroughTheGatesOfRecurrentLayers) {
  LSTM lstm(LSTMOptions(4, 6).num_layers(2));
  const graph::Model model =
      trace(Callable(lstm, [lstm](In in) mutable { return std::vector<at::Tensor>{std::get<0>(lstm(in[0]))}; }),
            {random({5, 3, 4})});
  const pruning::Prepared prepared = pruning::prepare(model);
  std::vector<std::string> sites;
  for (const auto& group : prepared.couplings.groups()) {
    if (group.units.empty()) continue;
    EXPECT_EQ(group.units.size(), 6U);
    for (const auto& site : group.sites)
      sites.push_back(std::string(prepared.model.graph.name_of(site.constant)) + "/" + std::to_string(site.axis));
  }
  EXPECT_EQ(sites, (std::vector<std::string>{"weight_ih_l0/0", "weight_hh_l0/0", "weight_hh_l0/1", "bias_ih_l0/0",
                                             "bias_hh_l0/0", "weight_ih_l1/1"}));
}

TEST(TraceState, LocksViewsThatAreWrittenTo) {
  const auto unmapped = [](auto forward) { return unmapped_operators(trace(function(forward), {random({4, 3})})); };
  EXPECT_EQ(unmapped([](In in) {
              at::Tensor y = in[0] * 2;
              y.select(1, 0).zero_();
              return y + 1;
            }).size(),
            1U);
  EXPECT_EQ(unmapped([](In in) {
              at::Tensor y = in[0] * 2;
              const at::Tensor turned = y.t();
              y.add_(1);
              return turned + 1;
            }).size(),
            1U);
  // The view alone goes on.
  EXPECT_TRUE(unmapped([](In in) { return (in[0] * 2).t().add_(1); }).empty());
}

TEST(TraceState, GivesEveryOutputAName) {
  const graph::Model model =
      trace(function([](In in) { return std::make_tuple(in[0], in[1] + 1, in[0]); }), {random({2}), random({2})});
  ASSERT_EQ(model.graph.outputs.size(), 3U);
  EXPECT_EQ(model.graph.name_of(model.graph.inputs[1]), "input_1");
  EXPECT_EQ(model.graph.name_of(model.graph.outputs[0]), "output");
  EXPECT_EQ(model.graph.name_of(model.graph.outputs[2]), "output_2");
}

}  // namespace
}  // namespace coppice::test
