#include "coupling/rule_case.hpp"

// Quantised operators are ordinary ones whose scales and zero points follow their axis.
namespace coppice::coupling {
namespace {

constexpr std::int64_t real = 1;

ValueId scale(Tiny& t, const graph::Shape& shape = {}) {
  return t.w("s" + std::to_string(t.b.graph().values.size()), shape);
}
ValueId zero(Tiny& t, const graph::Shape& shape = {}) {
  return t.w("z" + std::to_string(t.b.graph().values.size()), shape, DType::uint8);
}
ValueId bytes(Tiny& t, std::string_view name, const graph::Shape& shape) {
  return t.w(name, shape, DType::uint8);
}
ValueId quantized(Tiny& t, ValueId h) {
  return t.op("QuantizeLinear", {h, scale(t), zero(t)});
}
ValueId dequantized(Tiny& t, ValueId q) {
  return t.op("DequantizeLinear", {q, scale(t), zero(t)});
}
ValueId to_real(Tiny& t, ValueId h) {
  return t.op("Cast", {h}, {attr("to", real)});
}
void tail(Tiny& t, ValueId y, std::int64_t width = 4) {
  t.out(t.fc(y, "b", width, 5));
}
void image_tail(Tiny& t, ValueId y, std::int64_t channels = 4) {
  t.out(t.conv(y, "b", channels, 5));
}

void linear(RuleCases& cases) {
  for (const std::string domain : {"", "com.microsoft."}) {
    const std::string quantize = domain + "QuantizeLinear", dequantize = domain + "DequantizeLinear";
    const std::string of = domain.empty() ? "" : "OfTheRuntime";
    cases.push_back({.op = quantize,
                     .what = of + "PerTensorPasses",
                     .build =
                         [=](Tiny& t) {
                           tail(t, dequantized(t, t.op(quantize, {rows(t), scale(t), zero(t)})));
                         },
                     .units = {"a.1 pqrs", "b.0 pqrs"}});
    cases.push_back(
        {.op = quantize,
         .what = of + "PerAxisTiesScales",
         .build =
             [=](Tiny& t) {
               const ValueId q = t.op(quantize, {rows(t), t.w("s", {4}), bytes(t, "z", {4})}, {attr("axis", -1)});
               tail(t, dequantized(t, q));
             },
         .units = {"a.1 pqrs", "s.0 pqrs", "z.0 pqrs", "b.0 pqrs"}});
    cases.push_back({.op = dequantize,
                     .what = of + "PerAxisOfAWeight",
                     .build =
                         [=](Tiny& t) {
                           const ValueId w =
                               t.op(dequantize, {bytes(t, "w", {6, 4}), t.w("s", {6}), bytes(t, "z", {6})},
                                    {attr("axis", 0)});
                           tail(t, t.op("Gemm", {rows(t), w}, {attr("transB", 1)}), 6);
                         },
                     .units = {"a.1 pqrs", "w.1 pqrs", "w.0 uvwxyz", "s.0 uvwxyz", "z.0 uvwxyz", "b.0 uvwxyz"}});
    cases.push_back({.op = dequantize,
                     .what = of + "AlongAxis1ByDefault",
                     .build =
                         [=](Tiny& t) {
                           const ValueId w = t.op(dequantize, {bytes(t, "w", {4, 6}), t.w("s", {6})});
                           tail(t, t.op("MatMul", {rows(t), w}), 6);
                         },
                     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "s.0 uvwxyz", "b.0 uvwxyz"}});
    cases.push_back(
        {.op = dequantize,
         .what = of + "InBlocksLocksTheBlockedAxis",
         .build =
             [=](Tiny& t) {
               const ValueId w = t.op(dequantize, {bytes(t, "w", {4, 6}), t.w("s", {2, 6}), bytes(t, "z", {2, 6})},
                                      {attr("axis", 0), attr("block_size", 2)});
               tail(t, t.op("MatMul", {rows(t), w}), 6);
             },
         .units = {"a.1 ABCD", "w.0 ABCD", "s.0 ..", "w.1 uvwxyz", "s.1 uvwxyz", "z.1 uvwxyz", "b.0 uvwxyz"},
         .locks = {{"ABCD", Reason::ordered_axis, "DequantizeLinear0"}}});
  }
}

const RuleCases integers{
    {.op = "DynamicQuantizeLinear",
     .what = "MixesEverythingIntoItsRange",
     .build =
         [](Tiny& t) {
           const auto q = t.ops("DynamicQuantizeLinear", {tokens(t)}, 3);
           tail(t, t.op("DequantizeLinear", {q[0], q[1], q[2]}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"},
     .mixes = {"DynamicQuantizeLinear1: range 0.2"}},
    {.op = "MatMulInteger",
     .what = "IsAMatrixProduct",
     .build =
         [](Tiny& t) {
           const auto q = t.ops("DynamicQuantizeLinear", {tokens(t)}, 3);
           const ValueId y = t.op("MatMulInteger", {q[0], bytes(t, "w", {4, 6}), q[2], bytes(t, "z", {6})});
           tail(t, to_real(t, y), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "z.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"MatMulInteger2: contraction 0.2 1.0"}},
    {.op = "MatMulInteger",
     .what = "WithAZeroPointARowLocks",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("MatMulInteger", {quantized(t, rows(t)), bytes(t, "w", {4, 6}), bytes(t, "z", {2})});
           tail(t, to_real(t, y), 6);
         },
     .units = {"a.1 ABCD", "w.1 EFGHIJ", "z.0 .."},
     .locks = {{"ABCDEFGHIJ", Reason::ordered_axis, "MatMulInteger2"}},
     .mixes = {"MatMulInteger2: contraction 0.1 1.0"}},
    {.op = "MatMulInteger",
     .what = "OfVectors",
     .build =
         [](Tiny& t) {
           const ValueId h = quantized(t, t.fc(t.x("x", {3}), "a", 3, 4));
           tail(t, to_real(t, t.op("MatMulInteger", {h, bytes(t, "w", {4, 6}), zero(t), zero(t)})), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"MatMulInteger2: contraction 0.0 1.0"}},
    {.op = "QLinearMatMul",
     .what = "TiesScalesAColumn",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("QLinearMatMul", {quantized(t, rows(t)), scale(t), zero(t), bytes(t, "w", {4, 6}),
                                                    t.w("s", {6}), bytes(t, "z", {6}), scale(t), zero(t)});
           tail(t, dequantized(t, y), 6);
         },
     .units = {"a.1 pqrs", "w.0 pqrs", "w.1 uvwxyz", "s.0 uvwxyz", "z.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"QLinearMatMul2: contraction 0.1 3.0"}},
    {.op = "QLinearMatMul",
     .what = "WithAScaleARowLocks",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("QLinearMatMul", {quantized(t, rows(t)), t.w("s", {2}), bytes(t, "z", {2}),
                                                    bytes(t, "w", {4, 6}), scale(t), zero(t), scale(t), zero(t)});
           tail(t, dequantized(t, y), 6);
         },
     .units = {"a.1 ABCD", "w.1 EFGHIJ"},
     .locks = {{"ABCDEFGHIJ", Reason::ordered_axis, "QLinearMatMul2"}},
     .mixes = {"QLinearMatMul2: contraction 0.1 3.0"}},
    {.op = "ConvInteger",
     .what = "TiesZeroPointsAChannel",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("ConvInteger", {quantized(t, image(t)), bytes(t, "w", {6, 4, 1, 1}), zero(t), bytes(t, "z", {6})});
           image_tail(t, to_real(t, y), 6);
         },
     .units = {"a.0 pqrs", "w.1 pqrs", "w.0 uvwxyz", "z.0 uvwxyz", "b.1 uvwxyz"},
     .mixes = {"ConvInteger2: contraction 0.1 1.1"}},
    {.op = "ConvInteger",
     .what = "Depthwise",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("ConvInteger", {quantized(t, image(t)), bytes(t, "w", {4, 1, 3, 3}), zero(t), zero(t)},
                    {attr("group", 4)});
           image_tail(t, to_real(t, y));
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "b.1 pqrs"}},
    {.op = "QLinearConv",
     .what = "TiesScalesZeroPointsAndBias",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("QLinearConv", {quantized(t, image(t)), scale(t), zero(t), bytes(t, "w", {6, 4, 3, 3}),
                                    t.w("s", {6}), bytes(t, "z", {6}), scale(t), zero(t), t.w("c", {6}, DType::int32)});
           image_tail(t, dequantized(t, y), 6);
         },
     .units = {"a.0 pqrs", "w.1 pqrs", "w.0 uvwxyz", "s.0 uvwxyz", "z.0 uvwxyz", "c.0 uvwxyz", "b.1 uvwxyz"},
     .mixes = {"QLinearConv2: contraction 0.1 3.1"}},
    {.op = "QLinearConv",
     .what = "InGroupsTiesOffsets",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("QLinearConv",
                                  {quantized(t, image(t)), scale(t), zero(t), bytes(t, "w", {6, 2, 1, 1}),
                                   t.w("s", {6}), zero(t), scale(t), zero(t)},
                                  {attr("group", 2)});
           image_tail(t, dequantized(t, y), 6);
         },
     .units = {"a.0 pqpq", "w.1 pq", "w.0 uvwuvw", "s.0 uvwuvw", "b.1 uvwuvw"},
     .mixes = {"QLinearConv2: contraction 0.1 3.1"}},
};

void of_the_runtime(RuleCases& cases) {
  for (const std::string op : {"com.microsoft.QLinearAdd", "com.microsoft.QLinearMul"})
    cases.push_back({.op = op,
                     .what = "MeetsAVector",
                     .build =
                         [op](Tiny& t) {
                           const ValueId y = t.op(op, {quantized(t, rows(t)), scale(t), zero(t), bytes(t, "c", {4}),
                                                       scale(t), zero(t), scale(t), zero(t)});
                           tail(t, dequantized(t, y));
                         },
                     .units = {"a.1 pqrs", "c.0 pqrs", "b.0 pqrs"}});
  for (const std::string op : {"com.microsoft.QLinearSigmoid", "com.microsoft.QLinearLeakyRelu"})
    cases.push_back(
        {.op = op,
         .what = "Passes",
         .build =
             [op](Tiny& t) {
               tail(t, dequantized(t, t.op(op, {quantized(t, rows(t)), scale(t), zero(t), scale(t), zero(t)})));
             },
         .units = {"a.1 pqrs", "b.0 pqrs"}});
  for (const std::string op : {"com.microsoft.QLinearAveragePool", "com.microsoft.QLinearGlobalAveragePool"}) {
    const auto pooled = [op](Tiny& t, ValueId h, std::int64_t last) {
      return dequantized(t, t.op(op, {quantized(t, h), scale(t), zero(t), scale(t), zero(t)},
                                 {attr("channels_last", last), attr("kernel_shape", Indices{1, 1})}));
    };
    cases.push_back({.op = op,
                     .what = "PassesChannels",
                     .build = [pooled](Tiny& t) { image_tail(t, pooled(t, image(t), 0)); },
                     .units = {"a.0 pqrs", "b.1 pqrs"}});
    cases.push_back(
        {.op = op,
         .what = "PassesTheBatch",
         .build =
             [pooled](Tiny& t) {
               image_tail(t, t.op("Transpose", {pooled(t, stacked(t), 0)}, {attr("perm", Indices{1, 0, 2, 3})}));
             },
         .units = {"a.0 pqrs", "b.1 pqrs"}});
    cases.push_back({.op = op,
                     .what = "LocksSpace",
                     .build = [pooled](Tiny& t) { t.out(pooled(t, turned(t), 0)); },
                     .units = {"a.0 ABCD"},
                     .locks = {{"ABCD", Reason::fixed_axis, std::string(Tiny::apart(op).second) + "3"}}});
    cases.push_back({.op = op,
                     .what = "WithChannelsLastIsNotKnown",
                     .build = [pooled](Tiny& t) { t.out(pooled(t, image(t), 1)); },
                     .units = {"a.0 ABCD"},
                     .locks = {{"ABCD", Reason::unknown_operator, std::string(Tiny::apart(op).second) + "2"}}});
  }
  cases.push_back({.op = "com.microsoft.QLinearConcat",
                   .what = "JoinsUnits",
                   .build =
                       [](Tiny& t) {
                         const ValueId q = quantized(t, rows(t)), r = quantized(t, rows(t, "c", 2));
                         tail(t,
                              dequantized(t, t.op("com.microsoft.QLinearConcat",
                                                  {scale(t), zero(t), q, scale(t), zero(t), r, scale(t), zero(t)},
                                                  {attr("axis", -1)})),
                              6);
                       },
                   .units = {"a.1 pqrs", "c.1 uv", "b.0 pqrsuv"}});
  cases.push_back({.op = "com.microsoft.QLinearConcat",
                   .what = "TiesTheOtherAxes",
                   .build =
                       [](Tiny& t) {
                         const ValueId q = quantized(t, tokens(t)), r = quantized(t, tokens(t, "c"));
                         tail(t, dequantized(t, t.op("com.microsoft.QLinearConcat",
                                                     {scale(t), zero(t), q, scale(t), zero(t), r, scale(t), zero(t)},
                                                     {attr("axis", 1)})));
                       },
                   .units = {"a.1 pqrs", "c.1 pqrs", "b.0 pqrs"}});
}

}  // namespace

const RuleCases& quant_cases() {
  static const RuleCases cases = [] {
    RuleCases all = integers;
    linear(all);
    of_the_runtime(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Quant, Rules, testing::ValuesIn(quant_cases()), case_name);

}  // namespace coppice::coupling
