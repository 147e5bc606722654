#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "coppice/graph/infer.hpp"

namespace coppice::graph {
namespace {

// Every operator of ONNX's default domain in operator sets 1 (those that outlived it) to 23.
constexpr const char* default_domain[] = {"Abs",
                                          "Acos",
                                          "Acosh",
                                          "Add",
                                          "AffineGrid",
                                          "And",
                                          "ArgMax",
                                          "ArgMin",
                                          "Asin",
                                          "Asinh",
                                          "Atan",
                                          "Atanh",
                                          "Attention",
                                          "AveragePool",
                                          "BatchNormalization",
                                          "Bernoulli",
                                          "BitShift",
                                          "BitwiseAnd",
                                          "BitwiseNot",
                                          "BitwiseOr",
                                          "BitwiseXor",
                                          "BlackmanWindow",
                                          "Cast",
                                          "CastLike",
                                          "Ceil",
                                          "Celu",
                                          "CenterCropPad",
                                          "Clip",
                                          "Col2Im",
                                          "Compress",
                                          "Concat",
                                          "ConcatFromSequence",
                                          "Constant",
                                          "ConstantOfShape",
                                          "Conv",
                                          "ConvInteger",
                                          "ConvTranspose",
                                          "Cos",
                                          "Cosh",
                                          "CumSum",
                                          "DFT",
                                          "DeformConv",
                                          "DepthToSpace",
                                          "DequantizeLinear",
                                          "Det",
                                          "Div",
                                          "Dropout",
                                          "DynamicQuantizeLinear",
                                          "Einsum",
                                          "Elu",
                                          "Equal",
                                          "Erf",
                                          "Exp",
                                          "Expand",
                                          "EyeLike",
                                          "Flatten",
                                          "Floor",
                                          "GRU",
                                          "Gather",
                                          "GatherElements",
                                          "GatherND",
                                          "Gelu",
                                          "Gemm",
                                          "GlobalAveragePool",
                                          "GlobalLpPool",
                                          "GlobalMaxPool",
                                          "Greater",
                                          "GreaterOrEqual",
                                          "GridSample",
                                          "GroupNormalization",
                                          "HammingWindow",
                                          "HannWindow",
                                          "HardSigmoid",
                                          "HardSwish",
                                          "Hardmax",
                                          "Identity",
                                          "If",
                                          "ImageDecoder",
                                          "InstanceNormalization",
                                          "IsInf",
                                          "IsNaN",
                                          "LRN",
                                          "LSTM",
                                          "LayerNormalization",
                                          "LeakyRelu",
                                          "Less",
                                          "LessOrEqual",
                                          "Log",
                                          "LogSoftmax",
                                          "Loop",
                                          "LpNormalization",
                                          "LpPool",
                                          "MatMul",
                                          "MatMulInteger",
                                          "Max",
                                          "MaxPool",
                                          "MaxRoiPool",
                                          "MaxUnpool",
                                          "Mean",
                                          "MeanVarianceNormalization",
                                          "MelWeightMatrix",
                                          "Min",
                                          "Mish",
                                          "Mod",
                                          "Mul",
                                          "Multinomial",
                                          "Neg",
                                          "NegativeLogLikelihoodLoss",
                                          "NonMaxSuppression",
                                          "NonZero",
                                          "Not",
                                          "OneHot",
                                          "Optional",
                                          "OptionalGetElement",
                                          "OptionalHasElement",
                                          "Or",
                                          "PRelu",
                                          "Pad",
                                          "Pow",
                                          "QLinearConv",
                                          "QLinearMatMul",
                                          "QuantizeLinear",
                                          "RMSNormalization",
                                          "RNN",
                                          "RandomNormal",
                                          "RandomNormalLike",
                                          "RandomUniform",
                                          "RandomUniformLike",
                                          "Range",
                                          "Reciprocal",
                                          "ReduceL1",
                                          "ReduceL2",
                                          "ReduceLogSum",
                                          "ReduceLogSumExp",
                                          "ReduceMax",
                                          "ReduceMean",
                                          "ReduceMin",
                                          "ReduceProd",
                                          "ReduceSum",
                                          "ReduceSumSquare",
                                          "RegexFullMatch",
                                          "Relu",
                                          "Reshape",
                                          "Resize",
                                          "ReverseSequence",
                                          "RoiAlign",
                                          "RotaryEmbedding",
                                          "Round",
                                          "STFT",
                                          "Scan",
                                          "Scatter",
                                          "ScatterElements",
                                          "ScatterND",
                                          "Selu",
                                          "SequenceAt",
                                          "SequenceConstruct",
                                          "SequenceEmpty",
                                          "SequenceErase",
                                          "SequenceInsert",
                                          "SequenceLength",
                                          "SequenceMap",
                                          "Shape",
                                          "Shrink",
                                          "Sigmoid",
                                          "Sign",
                                          "Sin",
                                          "Sinh",
                                          "Size",
                                          "Slice",
                                          "Softmax",
                                          "SoftmaxCrossEntropyLoss",
                                          "Softplus",
                                          "Softsign",
                                          "SpaceToDepth",
                                          "Split",
                                          "SplitToSequence",
                                          "Sqrt",
                                          "Squeeze",
                                          "StringConcat",
                                          "StringNormalizer",
                                          "StringSplit",
                                          "Sub",
                                          "Sum",
                                          "Tan",
                                          "Tanh",
                                          "TfIdfVectorizer",
                                          "ThresholdedRelu",
                                          "Tile",
                                          "TopK",
                                          "Transpose",
                                          "Trilu",
                                          "Unique",
                                          "Unsqueeze",
                                          "Upsample",
                                          "Where",
                                          "Xor"};

TEST(Registry, HoldsEveryOperatorOfTheDefaultDomain) {
  std::string missing;
  for (const char* op : default_domain)
    if (!find_op("", op)) missing += std::string(op) + ' ';
  EXPECT_EQ(missing, "");
}

TEST(Registry, HoldsNoOperatorThatDoesNotExist) {
  // Newer than operator set 23, or the runtime's own in the default domain.
  const std::set<std::string_view> others = {"BitCast", "CumProd", "SimplifiedLayerNormalization", "Swish",
                                             "TensorScatter"};
  for (const OpDef& def : all_ops()) {
    if (!def.domain.empty()) continue;
    EXPECT_TRUE(others.contains(def.op) ||
                std::find(std::begin(default_domain), std::end(default_domain), def.op) != std::end(default_domain))
        << def.op;
  }
}

TEST(Registry, IsSortedAndHoldsEachOperatorOnce) {
  const auto ops = all_ops();
  for (std::size_t i = 1; i < ops.size(); ++i) {
    const auto before = std::pair(ops[i - 1].op, ops[i - 1].domain), here = std::pair(ops[i].op, ops[i].domain);
    EXPECT_LT(before, here) << here.first;
  }
}

TEST(Registry, BothNamesOfTheDefaultDomain) {
  EXPECT_EQ(find_op("ai.onnx", "Conv"), find_op("", "Conv"));
  EXPECT_EQ(find_op("com.example", "Conv"), nullptr);
  EXPECT_EQ(find_op("", "FusedConv"), nullptr);
  EXPECT_NE(find_op("com.microsoft", "FusedConv"), nullptr);
}

}  // namespace
}  // namespace coppice::graph
