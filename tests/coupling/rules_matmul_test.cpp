#include "coupling/rule_case.hpp"

// Products: contracted axes meet, rows come from the first operand, columns from the second, batch axes meet.
namespace coppice::coupling {
namespace {

std::vector<graph::Attribute> equation(const char* text) {
  return {attr("equation", AttributeValue(std::string(text)))};
}
void tail(Tiny& t, ValueId y, std::int64_t width = 4) {
  t.out(t.fc(y, "b", width, 5));
}

const RuleCases products{
    {.op = "MatMul",
     .what = "ContractsRowsOfTheWeight",
     .build = [](Tiny& t) { tail(t, t.fc(rows(t), "w", 4, 6), 6); },
     .units = {"a.0 ABC", "a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "b.0 uvwxyz", "b.1 DEFGH"},
     .locks = {{"ABC", Reason::graph_input, "MatMul0"}, {"DEFGH", Reason::graph_output, ""}},
     .mixes = {"MatMul1: contraction 0.1 1.0", "MatMul2: contraction 0.1 1.0"}},
    {.op = "MatMul",
     .what = "OfVectors",
     .build =
         [](Tiny& t) {
           t.out(t.op("MatMul", {t.fc(t.x("x", {3}), "a", 3, 4), t.w("b", {4})}));
         },
     .units = {"a.1 pqrs", "MatMul0.0 pqrs", "b.0 pqrs"},
     .mixes = {"MatMul1: contraction 0.0 1.0"}},
    {.op = "MatMul",
     .what = "OfAMatrixAndAVector",
     .build =
         [](Tiny& t) {
           t.out(t.op("MatMul", {rows(t), t.w("b", {4})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs", "MatMul1.0 .."},
     .mixes = {"MatMul1: contraction 0.1 1.0"}},
    {.op = "MatMul",
     .what = "WithTheWeightOnTheLeft",
     .build =
         [](Tiny& t) {
           const ValueId turned = t.op("Transpose", {rows(t)});
           t.out(t.op("MatMul", {t.w("b", {5, 6}), t.op("MatMul", {t.w("w", {6, 4}), turned})}));
         },
     .units = {"a.1 pqrs", "w.1 pqrs", "w.0 uvwxyz", "b.1 uvwxyz"},
     .mixes = {"MatMul2: contraction 0.1 1.0", "MatMul3: contraction 0.1 1.0"}},
    {.op = "MatMul",
     .what = "PassesTheBatchOfTheWeight",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("MatMul", {t.op("Unsqueeze", {t.x("x", {2, 3}), t.ints({0})}), t.w("w", {4, 3, 6})});
           tail(t, t.op("ReduceSum", {y, t.ints({0})}), 6);
         },
     .units = {"w.0 pqrs", "w.2 uvwxyz", "b.0 uvwxyz", "w.1 ABC"},
     .locks = {{"ABC", Reason::graph_input, "MatMul1"}},
     .mixes = {"MatMul3: contraction 0.2 1.0"}},
    {.op = "MatMul",
     .what = "LocksTheWeightsBatchWhereTheInputHasIt",
     .build =
         [](Tiny& t) {
           tail(t, t.op("MatMul", {t.x("x", {2, 5, 3}), t.w("w", {2, 3, 4})}));
         },
     .units = {"w.0 AB", "w.2 pqrs", "b.0 pqrs"},
     .locks = {{"AB", Reason::graph_input, "MatMul0"}},
     .mixes = {"MatMul1: contraction 0.2 1.0"}},
    {.op = "MatMul",
     .what = "StretchesABatchOfOne",
     .build =
         [](Tiny& t) {
           tail(t, t.op("MatMul", {tokens(t), t.w("w", {1, 4, 6})}), 6);
         },
     .units = {"a.1 pqrs", "w.0 .", "w.1 pqrs", "w.2 uvwxyz"},
     .mixes = {"MatMul1: contraction 0.2 1.1", "MatMul2: contraction 0.2 1.0"}},
    {.op = "MatMul",
     .what = "StretchesABatchUnitOnlyWhenItStays",
     .build =
         [](Tiny& t) {
           const ValueId one = t.op("Unsqueeze", {t.op("Transpose", {rows(t, "a", 1)}), t.ints({2})});  // [1, 2, 1]
           const ValueId y = t.op("MatMul", {one, t.w("w", {4, 1, 6})});
           tail(t, t.op("ReduceMax", {y, t.ints({0})}), 6);
         },
     .units = {"a.1 A", "w.0 pqrs", "w.2 uvwxyz"},
     .locks = {{"A", Reason::broadcast_slice, "MatMul3"}},
     .mixes = {"MatMul5: contraction 0.2 1.0"}},
    {.op = "Gemm",
     .what = "Plain",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gemm", {rows(t), t.w("w", {4, 6}), t.w("c", {6})}), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "c.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Gemm1: contraction 0.1 1.0"}},
    {.op = "Gemm",
     .what = "WithTransB",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gemm", {rows(t), t.w("w", {6, 4}), t.w("c", {1, 6})}, {attr("transB", 1)}), 6);
         },
     .units = {"a.1 pqrs", "w.1 pqrs", "w.0 uvwxyz", "c.0 .", "c.1 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Gemm1: contraction 0.1 1.1"}},
    {.op = "Gemm",
     .what = "WithTransA",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gemm", {t.op("Transpose", {rows(t)}), t.w("w", {4, 6})}, {attr("transA", 1)}), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Gemm2: contraction 0.0 1.0"}},
    {.op = "Gemm",
     .what = "WithBothTransposed",
     .build =
         [](Tiny& t) {
           tail(t,
                t.op("Gemm", {t.op("Transpose", {rows(t)}), t.w("w", {6, 4})}, {attr("transA", 1), attr("transB", 1)}),
                6);
         },
     .units = {"a.1 pqrs", "w.1 pqrs", "w.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Gemm2: contraction 0.0 1.1"}},
    {.op = "Gemm",
     .what = "AddsAColumn",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gemm", {rows(t), t.w("w", {4, 6}), t.w("c", {2, 1})}), 6);
         },
     .units = {"w.1 uvwxyz", "b.0 uvwxyz", "c.0 AB", "c.1 ."},
     .locks = {{"AB", Reason::graph_input, "Gemm1"}},
     .mixes = {"Gemm1: contraction 0.1 1.0"}},
    {.op = "Gemm",
     .what = "AddsAnActivation",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gemm", {rows(t), t.w("w", {4, 6}), rows(t, "c", 6)}), 6);
         },
     .units = {"w.1 uvwxyz", "c.1 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Gemm2: contraction 0.1 1.0"}},
    {.op = "Gemm",
     .what = "StretchesOneUnitOnlyWhenItStays",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gemm", {rows(t), t.w("w", {4, 6}), rows(t, "c", 1)}), 6);
         },
     .units = {"w.1 uvwxyz", "c.1 A"},
     .locks = {{"A", Reason::broadcast_slice, "Gemm2"}},
     .mixes = {"Gemm2: contraction 0.1 1.0"}},
    {.op = "com.microsoft.FusedGemm",
     .what = "IsAGemm",
     .build =
         [](Tiny& t) {
           tail(t, t.op("com.microsoft.FusedGemm", {rows(t), t.w("w", {6, 4}), t.w("c", {6})}, {attr("transB", 1)}), 6);
         },
     .units = {"a.1 pqrs", "w.1 pqrs", "w.0 uvwxyz", "c.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"FusedGemm1: contraction 0.1 1.1"}},
};

const RuleCases sums{
    {.op = "Einsum",
     .what = "IsAMatrixProduct",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Einsum", {rows(t), t.w("w", {6, 4})}, equation("bi, oi -> bo")), 6);
         },
     .units = {"a.1 pqrs", "w.1 pqrs", "w.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Einsum1: contraction 0.1 1.1"}},
    {.op = "Einsum",
     .what = "OrdersAnImplicitResultByLetter",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("Einsum", {rows(t), t.w("w", {4, 6})}, equation("bo,oa"));  // "ab"
           tail(t, t.op("Transpose", {y}), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "Einsum1.0 uvwxyz", "Einsum1.1 ..", "b.0 uvwxyz"},
     .mixes = {"Einsum1: contraction 0.1 1.0"}},
    {.op = "Einsum",
     .what = "PassesAnEllipsis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Einsum", {tokens(t), t.w("w", {4, 6})}, equation("...i,ij->...j")), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Einsum1: contraction 0.2 1.0"}},
    {.op = "Einsum",
     .what = "PutsAnImplicitEllipsisFirst",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Einsum", {t.w("w", {4, 6}), tokens(t)}, equation("ij,...i")), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "Einsum1.2 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"Einsum1: contraction 0.0 1.2"}},
    {.op = "Einsum",
     .what = "StretchesWithinAnEllipsis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Einsum", {rows(t), t.w("w", {1, 4})}, equation("...i,...i->...i")));
         },
     .units = {"a.1 pqrs", "w.1 pqrs", "b.0 pqrs", "w.0 A"},
     .locks = {{"A", Reason::broadcast_slice, "Einsum1"}}},
    {.op = "Einsum",
     .what = "SumsWhatItDrops",
     .build = [](Tiny& t) { t.out(t.op("Einsum", {rows(t)}, equation("bi->b"))); },
     .units = {"a.1 pqrs"},
     .mixes = {"Einsum1: sum 0.1"}},
    {.op = "Einsum",
     .what = "OuterProductKeepsBoth",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("Einsum", {rows(t), rows(t, "c", 6)}, equation("bi,bj->bij"));
           t.out(t.op("ReduceMax", {t.fc(y, "b", 6, 5), t.ints({1})}));
         },
     .units = {"a.1 pqrs", "c.1 uvwxyz", "Einsum2.1 pqrs", "Einsum2.2 uvwxyz", "b.0 uvwxyz"}},
    {.op = "Einsum",
     .what = "LocksADiagonal",
     .build =
         [](Tiny& t) {
           const ValueId square = t.op("Einsum", {rows(t), rows(t, "c")}, equation("bi,bj->bij"));
           tail(t, t.op("Einsum", {square}, equation("bii->bi")));
         },
     .units = {"a.1 ABCD", "c.1 ABCD", "b.0 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "Einsum3"}}},
    {.op = "Einsum",
     .what = "LocksAnAxisOfThree",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Einsum", {rows(t), rows(t, "c"), rows(t, "d")}, equation("bi,bi,bi->bi")));
         },
     .units = {"a.1 ABCD", "c.1 ABCD", "d.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "Einsum3"}}},
    {.op = "Einsum",
     .what = "ChainsThreeOperands",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Einsum", {rows(t), t.w("v", {4, 2}), t.w("w", {2, 6})}, equation("bi,ij,jk->bk")), 6);
         },
     .units = {"a.1 pqrs", "v.0 pqrs", "v.1 AB", "w.0 AB", "w.1 uvwxyz", "b.0 uvwxyz"},
     .locks = {{"AB", Reason::no_activation, ""}},
     .mixes = {"Einsum1: contraction 0.1 1.0", "Einsum1: contraction 1.1 2.0"}},
};

}  // namespace

const RuleCases& matmul_cases() {
  static const RuleCases cases = [] {
    RuleCases all = products;
    all.insert(all.end(), sums.begin(), sums.end());
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Matmul, Rules, testing::ValuesIn(matmul_cases()), case_name);

}  // namespace coppice::coupling
