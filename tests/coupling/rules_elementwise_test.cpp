#include "coupling/rule_case.hpp"

// Elementwise operators: units pass, and those of several operands meet. How they broadcast: rules_broadcast_test.cpp.
namespace coppice::coupling {
namespace {

constexpr std::int64_t real = 1, whole = 12, boolean = 9;  // float32, uint32, bool

ValueId cast(Tiny& t, ValueId from, std::int64_t to) {
  return to == real ? from : t.op("Cast", {from}, {attr("to", to)});
}
void tail(Tiny& t, ValueId h) {
  t.out(t.fc(h, "b", 4, 5));
}
const std::vector<std::string> passes{"a.1 pqrs", "b.0 pqrs"};

void unary(RuleCases& cases) {
  for (const char* op : {"Identity",
                         "Dropout",
                         "Relu",
                         "LeakyRelu",
                         "Elu",
                         "Selu",
                         "Celu",
                         "Gelu",
                         "Mish",
                         "HardSwish",
                         "HardSigmoid",
                         "Sigmoid",
                         "Tanh",
                         "Softplus",
                         "Softsign",
                         "Abs",
                         "Neg",
                         "Sign",
                         "Exp",
                         "Log",
                         "Sqrt",
                         "Reciprocal",
                         "Floor",
                         "Ceil",
                         "Round",
                         "Erf",
                         "Sin",
                         "Cos",
                         "Tan",
                         "Asin",
                         "Acos",
                         "Atan",
                         "Sinh",
                         "Cosh",
                         "Asinh",
                         "Acosh",
                         "Atanh",
                         "Shrink",
                         "ThresholdedRelu",
                         "Bernoulli",
                         "RandomNormalLike",
                         "RandomUniformLike",
                         "Swish",
                         "com.microsoft.Gelu",
                         "com.microsoft.QuickGelu"})
    cases.push_back({.op = op,
                     .what = std::string(op).starts_with("com") ? "OfTheRuntimePasses" : "Passes",
                     .build = [op](Tiny& t) { tail(t, t.op(op, {rows(t)})); },
                     .units = passes,
                     .opset = 24});
  cases.push_back({.op = "Not",
                   .what = "Passes",
                   .build =
                       [](Tiny& t) {
                         const ValueId no = t.op("Not", {cast(t, rows(t), boolean)});
                         tail(t, t.op("Cast", {no}, {attr("to", real)}));
                       },
                   .units = passes});
  cases.push_back({.op = "BitwiseNot",
                   .what = "Passes",
                   .build =
                       [](Tiny& t) {
                         const ValueId no = t.op("BitwiseNot", {cast(t, rows(t), whole)});
                         tail(t, t.op("Cast", {no}, {attr("to", real)}));
                       },
                   .units = passes});
  for (const char* op : {"IsNaN", "IsInf"})
    cases.push_back({.op = op,
                     .what = "Passes",
                     .build = [op](Tiny& t) { tail(t, t.op("Cast", {t.op(op, {rows(t)})}, {attr("to", real)})); },
                     .units = passes});
}

void several_operands(RuleCases& cases) {
  cases.push_back({.op = "Cast",
                   .what = "Passes",
                   .build = [](Tiny& t) { tail(t, t.op("Cast", {cast(t, rows(t), whole)}, {attr("to", real)})); },
                   .units = passes});
  // Of its second operand only the type counts.
  cases.push_back({.op = "CastLike",
                   .what = "TakesTheTypeOnly",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("CastLike", {rows(t), t.fc(rows(t, "c", 2), "d", 2, 6)}));
                       },
                   .units = {"a.1 pqrs", "b.0 pqrs", "d.1 tuvwxy"}});
  cases.push_back({.op = "Clip",
                   .what = "HasScalarBounds",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Clip", {rows(t), t.b.real_scalar(-1), t.b.real_scalar(1)}));
                       },
                   .units = passes});
  cases.push_back({.op = "Dropout",
                   .what = "MasksWhatItDrops",
                   .build =
                       [](Tiny& t) {
                         const auto both = t.ops("Dropout", {rows(t), t.b.real_scalar(0.5f)}, 2);
                         tail(t, t.op("Where", {both[1], both[0], rows(t, "c")}));
                       },
                   .units = {"a.1 pqrs", "Dropout1:1.1 pqrs", "c.1 pqrs", "b.0 pqrs"}});
}

void binary(RuleCases& cases) {
  struct Typed {
    const char* op;
    std::int64_t from = real, to = real;
  };
  for (const Typed& p : {Typed{"Add"},
                         Typed{"Sub"},
                         Typed{"Mul"},
                         Typed{"Div"},
                         Typed{"Pow"},
                         Typed{"Mod"},
                         Typed{"Min"},
                         Typed{"Max"},
                         Typed{"Mean"},
                         Typed{"Sum"},
                         Typed{"PRelu"},
                         Typed{"com.microsoft.BiasGelu"},
                         Typed{"com.microsoft.FastGelu"},
                         Typed{"And", boolean, boolean},
                         Typed{"Or", boolean, boolean},
                         Typed{"Xor", boolean, boolean},
                         Typed{"Equal", real, boolean},
                         Typed{"Less", real, boolean},
                         Typed{"LessOrEqual", real, boolean},
                         Typed{"Greater", real, boolean},
                         Typed{"GreaterOrEqual", real, boolean},
                         Typed{"BitShift", whole, whole},
                         Typed{"BitwiseAnd", whole, whole},
                         Typed{"BitwiseOr", whole, whole},
                         Typed{"BitwiseXor", whole, whole}})
    cases.push_back(
        {.op = p.op,
         .what = "MeetsAVector",
         .build =
             [p](Tiny& t) {
               const DType type = p.from == real ? DType::float32 : p.from == whole ? DType::uint32 : DType::boolean;
               const ValueId y = t.op(p.op, {cast(t, rows(t), p.from), t.w("c", {4}, type)},
                                      {attr("direction", AttributeValue(std::string("LEFT")))});
               tail(t, p.to == real ? y : t.op("Cast", {y}, {attr("to", real)}));
             },
         .units = {"a.1 pqrs", "c.0 pqrs", "b.0 pqrs"}});
  cases.push_back({.op = "Where",
                   .what = "MeetsThree",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Where", {cast(t, rows(t, "c"), boolean), rows(t), t.w("d", {1, 4})}));
                       },
                   .units = {"a.1 pqrs", "c.1 pqrs", "d.1 pqrs", "b.0 pqrs"}});
  cases.push_back({.op = "com.microsoft.FastGelu",
                   .what = "NeedsNoBias",
                   .build = [](Tiny& t) { tail(t, t.op("com.microsoft.FastGelu", {rows(t)})); },
                   .units = passes});
  cases.push_back({.op = "Sum",
                   .what = "MeetsAll",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Sum", {rows(t), rows(t, "c"), rows(t, "d")}));
                       },
                   .units = {"a.1 pqrs", "c.1 pqrs", "d.1 pqrs", "b.0 pqrs"}});
}

}  // namespace

const RuleCases& elementwise_cases() {
  static const RuleCases cases = [] {
    RuleCases all;
    unary(all);
    several_operands(all);
    binary(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Elementwise, Rules, testing::ValuesIn(elementwise_cases()), case_name);

}  // namespace coppice::coupling
