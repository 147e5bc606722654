#include "coppice/analysis/layers.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/analysis/groups.hpp"
#include "coppice/analysis/locks.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice::analysis {
namespace {

using graph::Builder;
using graph::ValueId;
using tensor::DType;
using tensor::Tensor;

Tensor floats(tensor::Shape shape, const std::vector<float>& values) {
  return Tensor::of<float>(DType::float32, std::move(shape), values);
}

// x[1,2] -> Gemm w1[3,2] b1[3] -> Relu -> Gemm w2[2,3] -> y[1,2]
graph::Model two_layers() {
  Builder b("two");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {2, {}}});
  const ValueId w1 = b.initializer("w1", floats({3, 2}, {1, 0, 2, 0, 0, 3}));
  const ValueId b1 = b.initializer("b1", floats({3}, {0, 0, 0}));
  const ValueId w2 = b.initializer("w2", floats({2, 3}, {1, 2, 3, 4, 5, 6}));
  const ValueId h = b.op("Gemm", {x, w1, b1}, {graph::attr("transB", 1)}, "first");
  const ValueId r = b.op("Relu", {h}, {}, "relu");
  b.output(b.op("Gemm", {r, w2}, {graph::attr("transB", 1)}, "second"), DType::float32, {{1, {}}, {2, {}}});
  return std::move(b).finish();
}

TEST(Layers, ParametersMacsShapesZeros) {
  const pruning::Prepared prepared = pruning::prepare(two_layers());
  const Layers found = layers(prepared, Zeros::count);
  ASSERT_EQ(found.rows.size(), 3u);
  EXPECT_EQ(found.rows[0].name, "first");
  EXPECT_EQ(found.rows[0].op, "Gemm");
  EXPECT_EQ(found.rows[0].parameters, 9);
  EXPECT_EQ(found.rows[0].zeros, 3 + 3);
  EXPECT_EQ(found.rows[0].macs, 6);
  EXPECT_EQ(shape_text(found.rows[0]), "1x3");
  EXPECT_EQ(found.rows[1].parameters, 0);
  EXPECT_EQ(found.rows[2].parameters, 6);
  EXPECT_EQ(found.parameters, 15);
  EXPECT_EQ(found.macs, 12);
  EXPECT_EQ(main_dtype(found), DType::float32);
  ASSERT_EQ(found.tensors.size(), 3u);
  EXPECT_EQ(found.tensors[1].name, "b1");
  EXPECT_EQ(found.tensors[1].zeros, 3);
  EXPECT_EQ(found.tensors[1].layer, 0);
  EXPECT_EQ(layers(prepared).tensors[1].zeros, -1);
}

// Which branch runs depends on the data, so the If stays, with 2 x 3 weights and 3 biases in each branch.
TEST(Layers, ParametersInControlFlowAreToldApart) {
  Builder b("chooses");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {2, {}}});
  const ValueId c = b.input("c", DType::boolean, {});
  const auto branch = [](const std::string& name) {
    Builder inner(name);
    const ValueId in = inner.graph().value("x");
    inner.graph().values[static_cast<std::size_t>(in)].captured = true;
    const ValueId w = inner.initializer(name + ".w", floats({2, 3}, {1, 2, 3, 4, 5, 6}));
    const ValueId bias = inner.initializer(name + ".b", floats({3}, {1, 2, 3}));
    inner.output(inner.op("Gemm", {in, w, bias}, {}, name + ".y"), DType::float32, {{1, {}}, {3, {}}});
    return std::make_shared<graph::Graph>(std::move(inner.graph()));
  };
  b.output(b.op("If", {c},
                {graph::attr("then_branch", graph::AttributeValue(branch("then"))),
                 graph::attr("else_branch", graph::AttributeValue(branch("else")))},
                "if"),
           DType::float32, {{1, {}}, {3, {}}});
  b.op("Identity", {x}, {}, "unused");
  const Layers found = layers(pruning::prepare(std::move(b).finish()));
  EXPECT_EQ(found.parameters, 0);
  EXPECT_EQ(found.in_control_flow, 2 * (2 * 3 + 3));
}

// The number of indices that NonZero finds depends on the data.
TEST(Layers, ExtentsThatDependOnDataAreNotShown) {
  Builder b("found");
  const ValueId x = b.input("x", DType::float32, {{4, {}}});
  const ValueId indices = b.op("Transpose", {b.op("Cast", {b.op("NonZero", {x})}, {graph::attr("to", 1)})});
  const ValueId w = b.initializer("w", floats({1, 3}, {1, 2, 3}));
  b.output(b.op("MatMul", {indices, w}, {}, "mul"), DType::float32, {{-1, {}}, {3, {}}});
  const Layers found = layers(pruning::prepare(std::move(b).finish()));
  const auto row =
      std::find_if(found.rows.begin(), found.rows.end(), [](const LayerRow& r) { return r.name == "mul"; });
  ASSERT_NE(row, found.rows.end());
  EXPECT_EQ(shape_text(*row), "?x3");
  EXPECT_GT(found.data_extent, 0);
  EXPECT_EQ(row->macs, 3.0 * static_cast<double>(found.data_extent));
  EXPECT_EQ(layers(pruning::prepare(two_layers())).data_extent, 0);
}

// A transposed weight belongs to the product that uses it, and to the first of two.
TEST(Layers, ParametersThroughConstantNodesAndTies) {
  Builder b("tied");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {2, {}}});
  const ValueId w = b.initializer("w", floats({2, 2}, {1, 2, 3, 4}));
  const ValueId t = b.op("Transpose", {w}, {graph::attr("perm", std::vector<std::int64_t>{1, 0})}, "turn");
  const ValueId h = b.op("MatMul", {x, t}, {}, "a");
  b.output(b.op("MatMul", {h, t}, {}, "b"), DType::float32, {{1, {}}, {2, {}}});
  const Layers found = layers(pruning::prepare(std::move(b).finish()));
  ASSERT_EQ(found.rows.size(), 2u);
  EXPECT_EQ(found.rows[0].name, "a");
  EXPECT_EQ(found.rows[0].parameters, 4);
  EXPECT_EQ(found.rows[1].parameters, 0);
  EXPECT_EQ(found.parameters, 4);
}

TEST(Layers, AZeroPointIsAZero) {
  Builder b("quantised");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {2, {}}});
  const std::vector<std::int8_t> weights{3, 3, 0, 7}, point{3};
  const ValueId w = b.initializer("w", Tensor::of<std::int8_t>(DType::int8, {2, 2}, weights));
  const ValueId scale = b.initializer("scale", floats({}, {0.5f}));
  const ValueId zero = b.initializer("zero", Tensor::of<std::int8_t>(DType::int8, {}, point));
  const ValueId real = b.op("DequantizeLinear", {w, scale, zero}, {}, "real");
  b.output(b.op("MatMul", {x, real}, {}, "y"), DType::float32, {{1, {}}, {2, {}}});
  const Layers found = layers(pruning::prepare(std::move(b).finish()), Zeros::count);
  const auto w_row =
      std::find_if(found.tensors.begin(), found.tensors.end(), [](const TensorRow& row) { return row.name == "w"; });
  ASSERT_NE(w_row, found.tensors.end());
  EXPECT_EQ(w_row->zeros, 2);
}

TEST(Layers, SumsAgreeWithTheCountOfPruning) {
  for (const char* name : {"resnet18", "gpt2_tiny", "lstm_tagger", "unet_gn"}) {
    const pruning::Prepared prepared = pruning::prepare(zoo::build(name));
    const Layers found = layers(prepared);
    const pruning::Count count = pruning::count(prepared);
    EXPECT_EQ(found.parameters, count.parameters) << name;
    EXPECT_EQ(found.macs, count.macs) << name;
    std::int64_t rows = 0;
    for (const LayerRow& row : found.rows) rows += row.parameters;
    EXPECT_EQ(rows, found.parameters) << name;
  }
}

TEST(Locks, RowsWithUnitsAndShares) {
  const pruning::Prepared prepared = pruning::prepare(two_layers());
  const std::vector<LockRow> rows = locks(prepared);
  std::int64_t input = 0, output = 0;
  for (const LockRow& row : rows) {
    if (row.reason == coupling::Reason::graph_input) {
      input += row.units;
      EXPECT_DOUBLE_EQ(row.share, 6.0 / 15);
    }
    if (row.reason == coupling::Reason::graph_output) {
      output += row.units;
      EXPECT_DOUBLE_EQ(row.share, 6.0 / 15);
    }
  }
  EXPECT_EQ(input, 2);
  EXPECT_EQ(output, 2);
  EXPECT_EQ(locked_units(prepared.couplings).at("graph_output"), 2);
  // The three hidden units touch everything.
  EXPECT_DOUBLE_EQ(pruning::reach(prepared), 1.0);
  std::vector<std::uint8_t> chosen(prepared.couplings.units().size(), 0);
  chosen[static_cast<std::size_t>(prepared.couplings.groups()[0].units.empty()
                                      ? prepared.couplings.groups()[1].units[0]
                                      : prepared.couplings.groups()[0].units[0])] = 1;
  // One hidden unit: two weights and a bias before it, two weights behind it.
  EXPECT_DOUBLE_EQ(share_of(prepared, chosen), 5.0 / 15);
}

TEST(Groups, MembersAreParametersAndAxes) {
  const std::vector<GroupRow> rows = groups(pruning::prepare(two_layers()));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].units, 3);
  ASSERT_EQ(rows[0].members.size(), 3u);
  EXPECT_EQ(rows[0].members[0].parameter, "w1");
  EXPECT_EQ(rows[0].members[0].axis, 0);
  EXPECT_EQ(rows[0].members[2].parameter, "w2");
  EXPECT_EQ(rows[0].members[2].axis, 1);
  EXPECT_EQ(rows[0].members[2].length, 3);
}

// Rows of a table that data looks up have no units of their own; still they stay, and the report says where and why.
TEST(Locks, TellOfTablesThatAreKeptWhole) {
  const pruning::Prepared prepared = pruning::prepare(zoo::build("gpt2_tiny"));
  const std::vector<LockRow> rows = locks(prepared);
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows[0].where, "Gather \"transformer.wte\"");
  EXPECT_EQ(rows[0].reason, coupling::Reason::indexed_by_data);
  EXPECT_EQ(rows[0].units, 1000);
  const tensor::Tensor* table = prepared.model.graph.constant(prepared.model.graph.find("transformer.wte.weight"));
  ASSERT_NE(table, nullptr);
  EXPECT_NEAR(rows[0].share, static_cast<double>(table->elements()) / static_cast<double>(layers(prepared).parameters),
              1e-12);
}

}  // namespace
}  // namespace coppice::analysis
