#include <gtest/gtest.h>

#include "support/ort_referee.hpp"
#include "support/runtime_case.hpp"

// Recurrent kernels against ONNX Runtime's: libtorch's own functions where they compute the same, and the loop.
namespace coppice {
namespace {

using graph::attr;
using test::differs_from_runtime;
using test::RuntimeCase;
using Names = std::vector<std::string>;
using Reals = std::vector<float>;

constexpr std::int64_t kSteps = 5, kBatch = 3, kInput = 4, kHidden = 6;

class Recurrent : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    COPPICE_NEEDS_REFEREE();
    at::manual_seed(1);
  }
  std::string op() const { return GetParam(); }
  std::int64_t gates() const { return op() == "LSTM" ? 4 : op() == "GRU" ? 3 : 1; }
  std::size_t activations() const { return op() == "LSTM" ? 3 : op() == "GRU" ? 2 : 1; }

  // Weights, bias, no lengths, no states.
  RuntimeCase layer(const std::string& direction) const {
    const std::int64_t count = direction == "bidirectional" ? 2 : 1, rows = gates() * kHidden;
    RuntimeCase out{op(),
                    {at::randn({kSteps, kBatch, kInput}), at::randn({count, rows, kInput}) * 0.5,
                     at::randn({count, rows, kHidden}) * 0.5, at::randn({count, 2 * rows})},
                    {attr("hidden_size", kHidden), attr("direction", direction)}};
    out.outputs = op() == "LSTM" ? 3 : 2;
    return out;
  }
  void add_states(RuntimeCase& one) const {
    const std::int64_t count = one.operands[1].size(0);
    one.operands.resize(op() == "LSTM" ? 7 : 6);
    for (std::size_t i = 5; i < one.operands.size(); ++i) one.operands[i] = at::randn({count, kBatch, kHidden});
  }
};

TEST_P(Recurrent, InEachDirection) {
  for (const char* direction : {"forward", "reverse", "bidirectional"}) {
    RuntimeCase one = layer(direction);
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
    add_states(one);
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
    one.operands[3] = at::Tensor();
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
  }
}

TEST_P(Recurrent, WithSequencesOfTheirOwnLengths) {
  for (const char* direction : {"forward", "reverse", "bidirectional"}) {
    RuntimeCase one = layer(direction);
    add_states(one);
    one.operands[4] = at::tensor(std::vector<int>{5, 2, 4}, at::kInt);
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
  }
}

TEST_P(Recurrent, WithOtherActivationsAndAClip) {
  RuntimeCase one = layer("bidirectional");
  one.attributes.push_back(attr("clip", 0.7f));
  EXPECT_EQ(differs_from_runtime(one), "");
  Names names{"HardSigmoid", "Relu", "LeakyRelu", "Elu", "ScaledTanh", "Softsign"};
  names.resize(2 * activations());
  Reals alphas{0.3f, 0.2f, 1.1f, 0.9f}, betas{0.4f, 0.8f};
  if (activations() == 2) alphas = {0.3f, 0.2f, 1.1f};
  if (activations() == 1) alphas = {0.3f};
  if (activations() < 3) betas = {0.4f};
  one.attributes.back() = attr("activations", names);
  one.attributes.push_back(attr("activation_alpha", alphas));
  one.attributes.push_back(attr("activation_beta", betas));
  EXPECT_EQ(differs_from_runtime(one), "");
}

INSTANTIATE_TEST_SUITE_P(Of, Recurrent, testing::Values("RNN", "GRU", "LSTM"),
                         [](const auto& op) { return std::string(op.param); });

using Gru = Recurrent;
TEST_P(Gru, ResetsBehindTheProduct) {
  for (const char* direction : {"forward", "bidirectional"}) {
    RuntimeCase one = layer(direction);
    one.attributes.push_back(attr("linear_before_reset", 1));
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
    one.operands.resize(5);
    one.operands[4] = at::tensor(std::vector<int>{5, 2, 4}, at::kInt);
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
  }
}
INSTANTIATE_TEST_SUITE_P(Of, Gru, testing::Values("GRU"));

using Lstm = Recurrent;
TEST_P(Lstm, LooksAtItsCell) {
  for (const char* direction : {"forward", "bidirectional"}) {
    RuntimeCase one = layer(direction);
    add_states(one);
    one.operands.push_back(at::randn({one.operands[1].size(0), 3 * kHidden}));
    EXPECT_EQ(differs_from_runtime(one), "") << direction;
  }
}

TEST_P(Lstm, CouplesInputAndForgetGate) {
  RuntimeCase one = layer("forward");
  one.attributes.push_back(attr("input_forget", 1));
  EXPECT_EQ(differs_from_runtime(one), "");
}
INSTANTIATE_TEST_SUITE_P(Of, Lstm, testing::Values("LSTM"));

}  // namespace
}  // namespace coppice
