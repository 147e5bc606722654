#include <algorithm>

#include "coupling/tiny.hpp"

// Every reason for a lock, by the smallest graph that has it, and every way of mixing indices.
namespace coppice::coupling {
namespace {

struct LockCase {
  Reason reason;
  void (*build)(Tiny&);
  const char* value;  ///< Where the locked unit lives...
  std::size_t axis;
  std::int64_t index;
  const char* node;  ///< ...and the node that locks it; "": none.
};

void chain(Tiny& t) {
  t.out(t.fc(t.fc(t.x("x", {2, 3}), "a", 3, 4), "b", 4, 5));
}

void unknown_operator(Tiny& t) {
  t.out(t.op("Mystery", {t.fc(t.x("x", {2, 3}), "a", 3, 4)}));
}
void unknown_shape(Tiny& t) {  // 4 channels do not fit a matrix of 5 rows
  t.out(t.op("MatMul", {t.fc(t.x("x", {2, 3}), "a", 3, 4), t.w("b", {5, 6})}));
}
void fixed_axis(Tiny& t) {
  const ValueId pooled = t.op("Transpose", {t.fc(t.x("x", {1, 8, 3}), "a", 3, 4)}, {attr("perm", Indices{0, 2, 1})});
  const ValueId image = t.op("Unsqueeze", {pooled, t.ints({1})});  // [1, 1, 4, 8]: the channels became space
  t.out(t.conv(image, "k", 1, 1));
}
void normalised_axis(Tiny& t) {
  t.out(t.fc(t.op("Softmax", {t.fc(t.x("x", {2, 3}), "a", 3, 4)}, {attr("axis", -1)}), "b", 4, 5));
}
void ordered_axis(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  t.out(t.op("ArgMax", {h}, {attr("axis", 1)}));
}
void indexed_by_data(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  t.out(t.op("Gather", {h, t.x("which", {2}, DType::int64)}, {attr("axis", 1)}));
}
void picked(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  t.out(t.op("Gather", {h, t.b.int_scalar(-2)}, {attr("axis", 1)}));
}
void broadcast_slice(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  const ValueId one = t.op("Slice", {h, t.ints({1}), t.ints({2}), t.ints({1})});
  t.out(t.fc(t.op("Mul", {h, one}), "b", 4, 5));
}
void split_factor(Tiny& t) {  // channel shuffle: the eight channels go as 2 groups of 4, and the groups stay
  const ValueId h = t.conv(t.x("x", {1, 3, 2, 2}), "a", 3, 8);
  const ValueId apart = t.op("Reshape", {h, t.ints({1, 2, 4, 2, 2})});
  const ValueId turned = t.op("Transpose",
                              {
                                  apart,
                              },
                              {attr("perm", Indices{0, 2, 1, 3, 4})});
  t.b.rename(apart, "apart");
  t.out(t.conv(t.op("Reshape", {turned, t.ints({1, 8, 2, 2})}), "b", 8, 5));
}
void mixed_by_reshape(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {1, 3, 3}), "a", 3, 4);  // [1, 3, 4]
  t.out(t.fc(t.op("Reshape", {h, t.ints({1, 4, 3})}), "b", 3, 5));
}
void strided(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  const ValueId every = t.op("Slice", {h, t.ints({0}), t.ints({4}), t.ints({1}), t.ints({2})});
  t.out(t.fc(every, "b", 2, 5));
}
void no_activation(Tiny& t) {  // a table that only other constants meet
  t.w("c", {4});
  t.op("Relu", {t.op("Mul", {t.b.graph().find("c"), t.w("d", {4})})});
  chain(t);
}
void control_flow(Tiny& t) {
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  const auto branch = [] {
    auto g = std::make_shared<graph::Graph>();
    const ValueId outer = g->value("h"), result = g->value("r");
    g->values[static_cast<std::size_t>(outer)].captured = true;
    graph::Node relu;
    relu.op = "Relu";
    relu.inputs = {outer};
    relu.outputs = {result};
    g->nodes.push_back(relu);
    g->outputs = {result};
    g->reindex();
    return g;
  };
  t.b.rename(h, "h");
  t.out(t.op("If", {t.x("flag", {}, DType::boolean)},
             {attr("then_branch", AttributeValue(branch())), attr("else_branch", AttributeValue(branch()))}));
}

const LockCase lock_cases[] = {
    {Reason::graph_input, chain, "a", 0, 0, "MatMul0"},
    {Reason::graph_output, chain, "b", 1, 4, ""},
    {Reason::unknown_operator, unknown_operator, "a", 1, 2, "Mystery1"},
    {Reason::unknown_shape, unknown_shape, "a", 1, 0, "MatMul1"},
    {Reason::fixed_axis, fixed_axis, "a", 1, 0, "Conv3"},
    {Reason::normalised_axis, normalised_axis, "a", 1, 3, "Softmax1"},
    {Reason::ordered_axis, ordered_axis, "a", 1, 0, "ArgMax1"},
    {Reason::indexed_by_data, indexed_by_data, "a", 1, 1, "Gather1"},
    {Reason::picked, picked, "a", 1, 2, "Gather1"},
    {Reason::broadcast_slice, broadcast_slice, "a", 1, 1, "Mul2"},
    {Reason::split_factor, split_factor, "apart", 1, 0, "Reshape1"},
    {Reason::mixed_by_reshape, mixed_by_reshape, "a", 1, 0, "Reshape1"},
    {Reason::strided, strided, "a", 1, 1, "Slice1"},
    {Reason::no_activation, no_activation, "c", 0, 0, ""},
    {Reason::control_flow, control_flow, "a", 1, 0, "If1"},
};

class Locks : public testing::TestWithParam<LockCase> {};

TEST_P(Locks, NameReasonAndNode) {
  const LockCase& p = GetParam();
  Tiny t;
  p.build(t);
  t.run();
  ASSERT_TRUE(t.tracked(p.value, p.axis));
  const Unit& u = t.info(p.value, p.axis, p.index);
  ASSERT_TRUE(u.locked);
  EXPECT_EQ(name(u.reason), name(p.reason));
  EXPECT_EQ(t.locker(u), p.node);
}
INSTANTIATE_TEST_SUITE_P(Reasons, Locks, testing::ValuesIn(lock_cases),
                         [](const auto& instance) { return std::string(name(instance.param.reason)); });

TEST(Locks, OnlyWhatIsNamedIsLocked) {
  Tiny t;
  picked(t);
  t.run();
  EXPECT_TRUE(t.open("a", 1, 1));
  EXPECT_TRUE(t.open("a", 1, 3));
  Tiny s;
  broadcast_slice(s);
  s.run();
  EXPECT_TRUE(s.open("a", 1, 0));
}

TEST(Locks, LaterLocksComeFromCallers) {
  for (Reason reason : {Reason::structure, Reason::inexact, Reason::ignored, Reason::module_code, Reason::unmeasured}) {
    Tiny t;
    chain(t);
    t.run();
    ASSERT_TRUE(t.open("b", 0, 2));
    const std::int32_t group = t.info("b", 0, 2).group;
    const std::size_t units = t.c.groups()[static_cast<std::size_t>(group)].units.size();
    t.c.lock(std::vector<std::int32_t>{t.unit("b", 0, 2)}, reason, 1);
    t.c.lock(std::vector<std::int32_t>{t.unit("b", 0, 2)}, Reason::picked, 0);  // the first one holds
    EXPECT_EQ(t.info("b", 0, 2).reason, reason);
    EXPECT_EQ(t.info("b", 0, 2).node, 1);
    EXPECT_EQ(t.c.groups()[static_cast<std::size_t>(group)].units.size(), units - 1);
    EXPECT_EQ(t.c.groups()[static_cast<std::size_t>(group)].locked, 1);
  }
}

TEST(Locks, EveryReasonHasAnExample) {
  std::vector<Reason> seen{Reason::structure, Reason::inexact, Reason::ignored, Reason::module_code,
                           Reason::unmeasured};
  for (const LockCase& p : lock_cases) seen.push_back(p.reason);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(reason_count));
  for (int r = 0; r < reason_count; ++r) {
    EXPECT_EQ(std::count(seen.begin(), seen.end(), static_cast<Reason>(r)), 1) << name(static_cast<Reason>(r));
    EXPECT_FALSE(explain(static_cast<Reason>(r)).empty());
  }
}

struct MixCase {
  const char* op;
  Mixing how;
};

class Mixes : public testing::TestWithParam<MixCase> {};

TEST_P(Mixes, OfAReducedAxis) {
  Tiny t;
  const ValueId h = t.fc(t.x("x", {2, 6, 3}), "a", 3, 4);
  const ValueId axes = t.ints({2});
  std::vector<ValueId> inputs{h};
  std::vector<graph::Attribute> attributes;
  if (std::string_view(GetParam().op) == "ReduceSum")
    inputs.push_back(axes);
  else
    attributes.push_back(attr("axes", Indices{2}));
  t.out(t.op(GetParam().op, inputs, attributes));
  t.run();
  ASSERT_EQ(t.c.mixes().size(), 1u);  // the matrix product contracts the input's axis, which has no units
  const Mix& mix = t.c.mixes()[0];
  EXPECT_EQ(mix.how, GetParam().how);
  EXPECT_EQ(mix.node, 1);
  EXPECT_EQ(mix.operand, 0);
  EXPECT_EQ(mix.axis, 2);
  EXPECT_EQ(mix.other, -1);
  EXPECT_TRUE(t.open("a", 1, 0));
}
INSTANTIATE_TEST_SUITE_P(Reductions, Mixes,
                         testing::Values(MixCase{"ReduceSum", Mixing::sum}, MixCase{"ReduceL1", Mixing::sum},
                                         MixCase{"ReduceL2", Mixing::sum}, MixCase{"ReduceSumSquare", Mixing::sum},
                                         MixCase{"ReduceMean", Mixing::mean}, MixCase{"ReduceMax", Mixing::max},
                                         MixCase{"ReduceMin", Mixing::min}, MixCase{"ReduceProd", Mixing::product},
                                         MixCase{"ReduceLogSumExp", Mixing::exponential}),
                         [](const auto& instance) { return std::string(instance.param.op); });

TEST(Mixes, AContractionNamesBothOperands) {
  Tiny t;
  chain(t);
  t.run();
  ASSERT_EQ(t.c.mixes().size(), 1u);  // the first product contracts the input's axis, which has no units
  const Mix& mix = t.c.mixes()[0];
  EXPECT_EQ(mix.how, Mixing::contraction);
  EXPECT_EQ(mix.node, 1);
  EXPECT_EQ(mix.operand, 0);
  EXPECT_EQ(mix.axis, 1);
  EXPECT_EQ(mix.other, 1);
  EXPECT_EQ(mix.other_axis, 0);
}

TEST(Mixes, StatisticsRangeAndState) {
  Tiny t(21);
  ValueId h = t.fc(t.x("x", {2, 6, 3}), "a", 3, 4);
  h = t.op("LayerNormalization", {h, t.w("gamma", {4}), t.w("beta", {4})}, {attr("axis", -1)});
  t.out(t.b.op_multi("DynamicQuantizeLinear", {h}, 3, {}, "q")[1]);
  const ValueId seq = t.x("seq", {5, 1, 3});
  const auto lstm = t.b.op_multi("LSTM",
                                 {seq, t.w("W", {1, 16, 3}), t.w("R", {1, 16, 4}), graph::no_value, graph::no_value,
                                  t.w("h0", {1, 1, 4}), t.w("c0", {1, 1, 4})},
                                 1, {attr("hidden_size", 4)}, "lstm");
  t.out(t.fc(lstm[0], "b", 4, 5));
  t.run();
  std::vector<Mixing> found;
  for (const Mix& m : t.c.mixes())
    if (m.how != Mixing::contraction) found.push_back(m.how);
  EXPECT_EQ(found, (std::vector<Mixing>{Mixing::statistics, Mixing::range, Mixing::state, Mixing::state}));
}

}  // namespace
}  // namespace coppice::coupling
