#include "coppice/train/impact.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice {
namespace {

Batch batch() {
  at::Generator generator = at::detail::createCPUGenerator(3);
  return {{at::randn({32, 784}, generator)}, at::arange(32).remainder(10)};
}

ImpactOptions options(std::vector<std::string> methods) {
  ImpactOptions out;
  out.methods = std::move(methods);
  out.seconds = 0.01;
  return out;
}

// The largest of all |w| share of a tensor's elements, by sorting.
at::Tensor without_smallest(const at::Tensor& weight, double share) {
  const auto count = std::llround(share * static_cast<double>(weight.numel()));
  at::Tensor flat = weight.detach().clone().flatten();
  const at::Tensor order = flat.abs().argsort();
  flat.index_fill_(0, order.slice(0, 0, count), 0);
  return flat.view_as(weight);
}

TEST(Impact, MagnitudeAgreesWithPlainTensors) {
  const graph::Model model = zoo::build("mlp");
  const Batch data = batch();
  ImpactOptions wanted = options({"magnitude:90%"});
  wanted.calibration.data = std::vector<Batch>{data};
  wanted.evaluation = std::vector<Batch>{data};
  const Impact found = measure_impact(model, wanted);
  ASSERT_EQ(found.rows.size(), 2U);

  GraphModule module{graph::Model(model)};
  const at::Tensor original = module.forward(data.inputs[0]);
  std::int64_t zeros = 0;
  {
    const at::NoGradGuard guard;
    for (at::Tensor& parameter : module.parameters()) {
      if (parameter.dim() == 2) parameter.copy_(without_smallest(parameter, 0.9));
      zeros += parameter.eq(0).sum().item<std::int64_t>();
    }
  }
  const at::Tensor sparse = module.forward(data.inputs[0]);
  EXPECT_EQ(found.rows[1].zeros, zeros);
  EXPECT_EQ(found.rows[0].error, 0);
  EXPECT_NEAR(found.rows[1].error, ((sparse - original).norm() / original.norm()).item<double>(), 1e-6);
  const auto right = [&](const at::Tensor& outputs) {
    return outputs.argmax(1).eq(data.target).to(at::kDouble).mean().item<double>();
  };
  EXPECT_NEAR(found.rows[0].metric.value(), right(original), 1e-12);
  EXPECT_NEAR(found.rows[1].metric.value(), right(sparse), 1e-12);
  EXPECT_EQ(found.rows[1].parameters, 235146);
  EXPECT_EQ(found.rows[1].macs, found.rows[0].macs);
  EXPECT_GE(found.rows[1].latency.runs, 5);
}

// fc1 200,704 + fc2 32,768 + fc3 1,280 weights; biases are the same in all of them.
TEST(Impact, BytesByTheFormulas) {
  const graph::Model model = zoo::build("mlp");
  const Impact found = measure_impact(model, options({"magnitude:50%", "magnitude:90%"}));
  const ImpactBytes &whole = found.rows[0].bytes, &half = found.rows[1].bytes, &tenth = found.rows[2].bytes;
  EXPECT_EQ(half.dense, whole.dense);
  // A bit a weight, and four bytes for each that is not zero, in place of four for all of them; and 8 bytes a row of
  // the three matrices, and names.
  const auto saved = [&](const ImpactBytes& bytes) { return static_cast<double>(whole.bitmask - bytes.bitmask); };
  EXPECT_NEAR(saved(half), 234752.0 / 2 * 4 - 234752.0 / 8 - 8 * (256 + 128 + 10), 2000);
  EXPECT_EQ(half.sparse_initializer, whole.sparse_initializer);  // 12 bytes for each of half is more
  EXPECT_NEAR(saved(tenth), 211277.0 * 4 - 234752.0 / 8 - 8 * (256 + 128 + 10), 2000);
  EXPECT_LT(tenth.sparse_initializer, whole.sparse_initializer);
}

TEST(Impact, StructureMakesModelsSmaller) {
  const Impact found = measure_impact(zoo::build("mlp"), options({"channels:25%", "channels:50%", "heads:50%"}));
  ASSERT_EQ(found.rows.size(), 4U);
  // 784-256-128-10 becomes 784-192-96-10 and 784-128-64-10, with biases.
  EXPECT_EQ(found.rows[1].parameters, 784 * 192 + 192 + 192 * 96 + 96 + 96 * 10 + 10);
  EXPECT_EQ(found.rows[2].parameters, 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10);
  EXPECT_EQ(found.rows[1].macs, 784 * 192 + 192 * 96 + 96 * 10);
  EXPECT_LT(found.rows[2].bytes.dense, found.rows[1].bytes.dense);
  EXPECT_GT(found.rows[1].error, 0);
  EXPECT_EQ(found.rows[3].reason, "no attention heads that can be cut");
}

TEST(Impact, HeadsAlone) {
  const graph::Model model = zoo::build("gpt2_tiny");
  EXPECT_EQ(usual_impact_methods(model).back(), "heads:50%");
  EXPECT_EQ(usual_impact_methods(zoo::build("mlp")).back(), "channels:50%");
  const Impact found = measure_impact(model, options({"heads:50%"}));
  ASSERT_EQ(found.rows.at(1).reason, "");
  // Of four layers half of the columns of c_attn (128 x 384 and a bias), and half of the rows of c_proj (128 x 128).
  EXPECT_EQ(found.rows[0].parameters - found.rows[1].parameters, 4 * (128 * 192 + 192 + 64 * 128));
  EXPECT_GT(found.rows[1].error, 0);
}

TEST(Impact, DataAndReasons) {
  const graph::Model model = zoo::build("mlp");
  ImpactOptions wanted = options({"snip:95%", "wanda:50%", "sparse_gpt:2:4", "wanda:2:5", "activation_magnitude:50%"});
  EXPECT_THROW(measure_impact(model, wanted), Error);
  wanted.calibration.data = std::vector<Batch>{batch()};
  EXPECT_THROW(measure_impact(model, wanted), Error);  // no loss
  wanted.calibration.loss = cross_entropy();
  const Impact found = measure_impact(model, wanted);
  ASSERT_EQ(found.rows.size(), 6U);
  const auto zeros = [&](std::size_t row) { return found.rows[row].zeros - found.rows[0].zeros; };
  EXPECT_EQ(zeros(1), 223014);  // round(0.95 x 234,752)
  EXPECT_EQ(zeros(2), 234752 / 2);
  EXPECT_EQ(zeros(3), 234752 / 2);
  EXPECT_NE(found.rows[4].reason.find("nothing to sparsify"), std::string::npos) << found.rows[4].reason;
  EXPECT_EQ(zeros(5), 234752 / 2);
}

TEST(Impact, MethodsAreReadStrictly) {
  EXPECT_EQ(parse_impact_method("2:4").pattern.b, 4);
  EXPECT_EQ(parse_impact_method("sparse_gpt:4:8").pattern.a, 4);
  EXPECT_EQ(parse_impact_method("channels:30").amount, 0.3);
  EXPECT_TRUE(parse_impact_method("snip:95%").needs_labels());
  EXPECT_FALSE(parse_impact_method("activation_norm:95%").needs_labels());
  for (const char* text : {"",
                           ":",
                           "magnitude",
                           "magnitude:",
                           ":50%",
                           "magnitud:50%",
                           "magnitude:150%",
                           "magnitude:0",
                           "magnitude:-5",
                           "channels:100%",
                           "channels:2:4",
                           "heads:x",
                           "4:2",
                           "0:0",
                           "2:",
                           "0.5:4",
                           "movement:50%",
                           "wanda:4x4",
                           "magnitude:nan",
                           "99999999999999999999:4",
                           "magnitude:2:4:6"})
    EXPECT_THROW(parse_impact_method(text), Error) << text;
}

TEST(Impact, SaysWhatMethodsNeed) {
  const auto message = [](const std::string& method, const std::vector<Batch>& data) -> std::string {
    ImpactOptions wanted = options({method});
    if (!data.empty()) wanted.calibration.data = data;
    wanted.calibration.loss = cross_entropy();
    try {
      measure_impact(zoo::build("mlp"), wanted);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_EQ(message("wanda:50%", {}), "method 'wanda:50%': it looks at data, and none are given");
  EXPECT_EQ(message("taylor:50%", {{{at::ones({2, 784})}, {}}}),
            "method 'taylor:50%': it looks at gradients of a loss, which take data with labels");
}

TEST(Impact, Reports) {
  Impact impact{.metric = "accuracy", .rows = {}};
  ImpactRow row{.method = "original", .reason = {}, .parameters = 10, .zeros = 5, .macs = 10};
  row.latency = {.median = 0.002, .low = 0.001, .high = 0.003, .runs = 5};
  row.bytes = {40, 40, 22};
  row.metric = 0.5;
  impact.rows = {row, {.method = "a|b,c", .reason = "it \"is\" so"}};
  const auto json = nlohmann::json::parse(impact.json());
  EXPECT_EQ(json["rows"][0]["bytes"]["bitmask"], 22);
  EXPECT_EQ(json["rows"][1]["reason"], "it \"is\" so");
  EXPECT_EQ(impact.csv().substr(impact.csv().find('\n') + 1),
            "original,10,5,10,40,40,22,0.002,0,0.5,\n\"a|b,c\",,,,,,,,,,\"it \"\"is\"\" so\"\n");
  EXPECT_NE(impact.markdown().find("| a\\|b,c | it \"is\" so |"), std::string::npos);
  EXPECT_NE(impact.text().find("original"), std::string::npos);
}

}  // namespace
}  // namespace coppice
