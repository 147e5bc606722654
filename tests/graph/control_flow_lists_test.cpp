#include <gtest/gtest.h>

#include "coppice/graph/print.hpp"

#include "graph/control_flow_support.hpp"

namespace coppice::graph {
namespace {

TEST(ControlFlow, AListThatALoopFillsBecomesPlainValues) {
  Outer o;
  o.b.initializer("two", Tensor::scalar(std::int64_t{2}));
  o.b.initializer("last", Tensor::scalar(std::int64_t{-1}));
  o.b.initializer("first", Tensor::scalar(std::int64_t{0}));
  o.op("empty", "SequenceEmpty", {});
  o.op("filled", "Loop", {"two", "", "empty"},
       {attr("body", AttributeValue(Body("body")
                                        .input("i")
                                        .input("c")
                                        .input("s")
                                        .add("Exp", {"x"}, {"e"})
                                        .add("SequenceInsert", {"s", "e"}, {"t"})
                                        .finish({"c", "t"})))});
  o.op("n", "Neg", {"x"});
  o.op("longer", "SequenceInsert", {"filled", "n", "first"});
  o.op("a", "SequenceAt", {"longer", "last"});
  o.op("b", "ConcatFromSequence", {"longer"}, {attr("axis", 1), attr("new_axis", 0)});
  o.op("c", "SequenceLength", {"filled"});
  Model model = o.finish({"a", "b", "c"});
  const auto regions = resolve_and_back(model);
  ASSERT_EQ(regions.size(), 8u);  // the loop, and a group of seven
  EXPECT_EQ(regions[0].group, -1);
  EXPECT_EQ(regions[1].group, regions[7].group);
  EXPECT_EQ(nodes_of(model.graph),
            "empty = SequenceEmpty(); filled/0/e = Exp(x); filled/0/t = SequenceEmpty(); filled/1/e = Exp(x); "
            "filled = SequenceEmpty(); n = Neg(x); longer = SequenceEmpty(); a = Identity(filled/1/e); "
            "b = Concat(n, filled/0/e, filled/1/e); c = Constant()");
  EXPECT_EQ(constant_int(model.graph, "c"), 2);
  // A change of one element's size keeps the whole group, and the loop, as they are.
  const ValueId changed = model.graph.find("n");
  restore_control_flow(model.graph, regions, [&](ValueId id) { return id != changed; });
  model.graph.check();
  EXPECT_EQ(nodes_of(model.graph),
            "filled/0/e = Exp(x); filled/1/e = Exp(x); n = Neg(x); a = Identity(filled/1/e); "
            "b = Concat(n, filled/0/e, filled/1/e); c = Constant()");
}

TEST(ControlFlow, SplitsIntoAListBecomePlainSplits) {
  Outer o;
  o.b.initializer("five", Tensor::scalar(std::int64_t{5}));
  o.b.initializer("one", Tensor::scalar(std::int64_t{1}));
  o.op("cut", "SplitToSequence", {"x", "five"}, {attr("axis", 2)});
  o.op("a", "SequenceAt", {"cut", "one"});
  o.op("rows", "SplitToSequence", {"x"}, {attr("axis", 0), attr("keepdims", 0)});
  o.op("b", "SequenceAt", {"rows", "one"});
  o.op("whole", "SplitToSequence", {"x", "five"}, {attr("axis", 2)});
  o.op("which", "Cast", {"flag"}, {attr("to", 7)});
  o.op("c", "SequenceAt", {"whole", "which"});
  Model model = o.finish({"a", "b", "c"});
  resolve_and_back(model);
  EXPECT_EQ(nodes_of(model.graph),
            "cut/piece, cut/piece_1 = Split(x, cut/split); cut = SequenceEmpty(); a = Identity(cut/piece_1); "
            "rows/piece, rows/piece_1 = Split(x, rows/split); rows/row = Squeeze(rows/piece, rows/axes); "
            "rows/row_1 = Squeeze(rows/piece_1, rows/axes_1); rows = SequenceEmpty(); b = Identity(rows/row_1); "
            "whole = SplitToSequence(x, five); which = Cast(flag); c = SequenceAt(whole, which)");
  const Tensor& sizes = *model.graph.constant(model.graph.find("cut/split"));
  EXPECT_EQ(tensor::element_as_int(sizes, 0), 5);
  EXPECT_EQ(tensor::element_as_int(sizes, 1), 3);  // of 8
}

}  // namespace
}  // namespace coppice::graph
