#include "coupling/rules/rules.hpp"

namespace coppice::coupling {

void same_axes(RuleContext& c) {
  const auto axes = c.axes(0);
  for (std::size_t o = 0; o < c.node().outputs.size(); ++o)
    if (c.has_output(o)) c.set(o, axes);
}

void broadcast_operands(RuleContext& c, const std::vector<std::size_t>& which) {
  const std::size_t rank = c.out_rank();
  for (std::size_t o = 0; o < rank; ++o) {
    const std::int64_t length = c.out_shape()[o];
    Axis result = State::free_axis(length);
    bool any = false;
    for (std::size_t i : which) {
      if (!c.has(i) || c.rank(i) + o < rank) continue;
      const std::size_t k = o - (rank - c.rank(i));
      if (c.shape(i)[k] != length) {
        c.lock(i, k, Reason::broadcast_slice);
        continue;
      }
      // An axis of length one carries no choice; one that nobody tracks should not give units to constants.
      if (length == 1 && !c.peek(i, k).tracked()) continue;
      const Axis mine = c.axis(i, k);
      result = any ? c.meet(result, mine) : mine;
      any = true;
    }
    for (std::size_t out = 0; out < c.node().outputs.size(); ++out)
      if (c.has_output(out)) c.set(out, o, result);
  }
}

namespace {

void broadcast_all(RuleContext& c) {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < c.node().inputs.size(); ++i) which.push_back(i);
  broadcast_operands(c, which);
}

// Bias last: BiasGelu, FastGelu.
void bias_activation(RuleContext& c) {
  broadcast_operands(c, {0, 1});
}

// Results that depend on the operand's shape alone, or on nothing.
void from_shape(RuleContext&) {}

// A diagonal is where two axes meet at equal positions.
void diagonal(RuleContext& c) {
  c.lock_all(Reason::ordered_axis);
}

// One value everywhere: every axis follows what it meets, as after an Expand.
void filled(RuleContext& c) {
  for (std::size_t k = 0; k < c.out_rank(); ++k)
    if (c.out_shape()[k] > 1) c.set(0, k, c.state().fresh_axis(c.out_shape()[k], State::replicated));
}

}  // namespace

void add_elementwise_rules(std::vector<RuleEntry>& rules) {
  for (std::string_view op : {"Identity",
                              "Cast",
                              "CastLike",
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
                              "Not",
                              "BitwiseNot",
                              "IsNaN",
                              "IsInf",
                              "Clip",
                              "Shrink",
                              "ThresholdedRelu",
                              "Bernoulli",
                              "RandomNormalLike",
                              "RandomUniformLike",
                              "Swish"})
    rules.push_back({"", op, same_axes});
  for (std::string_view op : {"Add",      "Sub",        "Mul",       "Div",         "Pow",     "Mod",
                              "Min",      "Max",        "Mean",      "Sum",         "And",     "Or",
                              "Xor",      "Equal",      "Less",      "LessOrEqual", "Greater", "GreaterOrEqual",
                              "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor",  "Where",   "PRelu"})
    rules.push_back({"", op, broadcast_all});
  for (std::string_view op : {"Shape", "Size", "Constant", "Range", "RandomNormal", "RandomUniform"})
    rules.push_back({"", op, from_shape});
  rules.push_back({"", "EyeLike", diagonal});
  rules.push_back({"", "ConstantOfShape", filled});
  rules.push_back({"com.microsoft", "Gelu", same_axes});
  rules.push_back({"com.microsoft", "QuickGelu", same_axes});
  rules.push_back({"com.microsoft", "BiasGelu", bias_activation});
  rules.push_back({"com.microsoft", "FastGelu", bias_activation});
}

}  // namespace coppice::coupling
