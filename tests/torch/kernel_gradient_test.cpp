#include <gtest/gtest.h>

#include "one_node.hpp"

/// Gradients of operators against finite differences.
namespace coppice {
namespace {
using namespace one_node;

struct Case {
  Spec spec;
  std::vector<at::Tensor> inputs;  ///< Those of type double are varied.
};

at::Tensor positive(at::IntArrayRef shape) {
  return at::rand(shape, at::kDouble) + 0.25;
}

at::Tensor any(at::IntArrayRef shape) {
  return at::randn(shape, at::kDouble);
}

// In (-1, 1).
at::Tensor small(at::IntArrayRef shape) {
  return at::rand(shape, at::kDouble) * 1.6 - 0.8;
}

// A number that depends on every element of every real output.
at::Tensor mixed(const std::vector<at::Tensor>& outputs) {
  at::Tensor out = at::zeros({}, at::kDouble);
  for (const at::Tensor& tensor : outputs)
    if (tensor.is_floating_point())
      out = out + (tensor.reshape({-1}) * at::linspace(0.5, 1.5, tensor.numel(), at::kDouble)).sum();
  return out;
}

void check(const Case& tried) {
  GraphModule module = make(tried.spec, tried.inputs);
  std::vector<at::Tensor> inputs = defined(tried.inputs), copies;
  for (at::Tensor& input : inputs) {
    copies.push_back(input.clone());
    if (input.is_floating_point()) input = input.clone().set_requires_grad(true);
  }
  mixed(module.run(inputs)).backward();
  constexpr double step = 1e-5;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].is_floating_point()) continue;
    ASSERT_TRUE(inputs[i].grad().defined()) << tried.spec.op << ", operand " << i;
    EXPECT_TRUE(at::equal(inputs[i].detach(), copies[i])) << tried.spec.op << " changes its operand " << i;
    const at::Tensor found = inputs[i].grad().reshape({-1});
    for (std::int64_t k = 0; k < inputs[i].numel(); ++k) {
      double side[2];
      for (const int s : {0, 1}) {
        std::vector<at::Tensor> moved = copies;
        moved[i] = copies[i].clone();
        moved[i].view({-1})[k] += s == 0 ? -step : step;
        side[s] = mixed(module.run(moved)).item<double>();
      }
      const double expected = (side[1] - side[0]) / (2 * step);
      EXPECT_NEAR(found[k].item<double>(), expected, 1e-6 * std::max(1.0, std::abs(expected)))
          << tried.spec.op << ", operand " << i << ", element " << k;
    }
  }
}

void check_all(const std::vector<Case>& cases) {
  for (const Case& tried : cases) {
    SCOPED_TRACE(tried.spec.op);
    check(tried);
  }
}

TEST(KernelGradient, Elementwise) {
  at::manual_seed(1);
  for (const char* op : {"Abs",      "Asinh",     "Atan",        "Cos",       "Cosh",           "Elu",  "Erf",
                         "Exp",      "Gelu",      "Mish",        "Neg",       "Sigmoid",        "Sin",  "Sinh",
                         "Softplus", "Selu",      "HardSigmoid", "HardSwish", "Celu",           "Relu", "Swish",
                         "Tanh",     "LeakyRelu", "Softsign",    "Identity",  "ThresholdedRelu"})
    check({{op, {}}, {any({2, 3})}});
  for (const char* op : {"Acos", "Asin", "Atanh", "Tan"}) check({{op, {}}, {small({5})}});
  for (const char* op : {"Log", "Sqrt", "Reciprocal"}) check({{op, {}}, {positive({5})}});
  check_all({{{"Acosh", {}}, {positive({4}) + 1}},
             {{"Gelu", {text("approximate", "tanh")}}, {any({4})}},
             {{"Swish", {real("alpha", 1.5F)}}, {any({4})}},
             {{"Shrink", {real("bias", 0.5F)}}, {any({6})}},
             {{"Det", {}}, {any({2, 3, 3})}},
             {{"Clip", {}}, {any({6}), at::scalar_tensor(-0.6, at::kDouble), at::scalar_tensor(0.7, at::kDouble)}}});
}

TEST(KernelGradient, TwoAndMoreOperands) {
  at::manual_seed(2);
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu", "Sum", "Mean"})
    check({{op, {}}, {any({2, 3}), any({3})}});
  check_all({{{"Pow", {}}, {positive({2, 3}), any({3})}},
             {{"Mod", {whole("fmod", 1)}}, {positive({4}) + 1, positive({4}) + 0.5}},
             {{"Max", {}}, {any({3}), any({3}), any({2, 1})}},
             {{"Where", {}}, {at::tensor({1, 0, 1}).to(at::kBool), any({2, 3}), any({3})}},
             {{"Concat", {whole("axis", 1)}}, {any({2, 3}), any({2, 1})}}});
}

TEST(KernelGradient, Reductions) {
  at::manual_seed(3);
  for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
                         "ReduceProd", "ReduceSum", "ReduceSumSquare"})
    check({{op, {whole("keepdims", 0)}}, {any({2, 3, 2}), ints({0, -1})}});
  check_all({{{"ReduceLogSum", {}}, {positive({2, 3})}},
             {{"CumSum", {whole("exclusive", 1), whole("reverse", 1)}}, {any({2, 3}), ints({1})}},
             {{"Trilu", {}}, {any({3, 3}), ints({1})}}});
}

TEST(KernelGradient, Layout) {
  at::manual_seed(4);
  check_all({{{"Reshape", {}}, {any({2, 3}), ints({3, -1})}},
             {{"Flatten", {}}, {any({2, 3, 2})}},
             {{"Squeeze", {}}, {any({2, 1, 3}), ints({1})}},
             {{"Unsqueeze", {}}, {any({2, 3}), ints({0, -1})}},
             {{"Expand", {}}, {any({2, 1}), ints({3, 1, 4})}},
             {{"Tile", {}}, {any({2, 2}), ints({2, 3})}},
             {{"Transpose", {}}, {any({2, 3})}},
             {{"Slice", {}}, {any({5, 3}), ints({4, 0}), ints({-9, 2}), ints({0, 1}), ints({-2, 1})}},
             {{"Split", {whole("num_outputs", 2), whole("axis", 1)}, 18, 2}, {any({2, 5})}},
             {{"Pad", {text("mode", "reflect")}}, {any({3, 4}), ints({1, 2, 0, 3})}},
             {{"Pad", {text("mode", "edge")}}, {any({3, 4}), ints({1, 2, 0, 3})}},
             {{"Pad", {}}, {any({3, 4}), ints({1, -1, 0, 3})}},
             {{"DepthToSpace", {whole("blocksize", 2)}}, {any({1, 8, 2, 1})}},
             {{"SpaceToDepth", {whole("blocksize", 2)}}, {any({1, 2, 2, 4})}}});
}

TEST(KernelGradient, Selection) {
  at::manual_seed(5);
  const at::Tensor table = ints({0, 2, 1, 0}).reshape({2, 2});
  check_all({{{"Gather", {whole("axis", 1)}}, {any({2, 3}), table - 1}},
             {{"GatherElements", {}}, {any({3, 2}), table}},
             {{"GatherND", {}}, {any({3, 3, 2}), table}},
             {{"ScatterElements", {}}, {any({3, 2}), ints({0, 2, 1, 1}).reshape({2, 2}), any({2, 2})}},
             {{"ScatterElements", {text("reduction", "add")}}, {any({3, 2}), table, any({2, 2})}},
             {{"ScatterElements", {text("reduction", "mul")}}, {any({3, 2}), table, any({2, 2})}},
             {{"ScatterElements", {text("reduction", "max")}}, {any({3, 2}), table, any({2, 2})}},
             {{"ScatterND", {}}, {any({3, 2}), ints({2, 0}).reshape({2, 1}), any({2, 2})}},
             {{"ScatterND", {text("reduction", "min")}}, {any({3, 2}), ints({2, 0}).reshape({2, 1}), any({2, 2})}},
             {{"TopK", {}, 18, 2}, {any({3, 4}), ints({2})}},
             {{"Compress", {whole("axis", 1)}}, {any({2, 3}), at::tensor({1, 0, 1}).to(at::kBool)}},
             {{"Unique", {whole("sorted", 0)}}, {reals({2, 1, 1.5, 3})}},
             {{"OneHot", {}}, {ints({1, -1}), ints({3}), any({2})}},
             {{"ReverseSequence", {}}, {any({3, 2}), ints({2, 3})}}});
}

TEST(KernelGradient, Losses) {
  at::manual_seed(6);
  const at::Tensor classes = ints({2, 0, 1, 1}).reshape({2, 2});
  check_all({{{"SoftmaxCrossEntropyLoss", {whole("ignore_index", 0)}}, {any({2, 3, 2}), classes}},
             {{"SoftmaxCrossEntropyLoss", {text("reduction", "none")}, 18, 2}, {any({2, 3, 2}), classes}},
             {{"NegativeLogLikelihoodLoss", {text("reduction", "sum")}}, {any({2, 3, 2}), classes}}});
}

}  // namespace
}  // namespace coppice
