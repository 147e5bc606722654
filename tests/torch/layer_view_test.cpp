#include "torch/sparse/layer_view.hpp"

#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"
#include "coppice/torch/calibrated_sparsity.hpp"
#include "coppice/torch/tensors.hpp"

#include "support/message.hpp"

// A layer's output, made from the rows and matrices of its view, is what the executor computes.
namespace coppice {
namespace {

using graph::attr;
using graph::ValueId;
using tensor::DType;
using Numbers = std::vector<std::int64_t>;

struct Case {
  std::string op;
  Numbers x, weight;
  std::vector<graph::Attribute> attributes;
  std::size_t operand = 1;  ///< Which the weight is; the other one is x.
  bool bias = false;
  double factor = 1;       ///< Of the product, and
  double bias_factor = 1;  ///< of the bias.
  bool turned = false;     ///< The weight stands behind a Transpose.
};

std::vector<graph::Dim> dims(const Numbers& shape) {
  std::vector<graph::Dim> out;
  for (const std::int64_t extent : shape) out.push_back({extent, {}});
  return out;
}

GraphModule module_of(const Case& c) {
  graph::Builder b("one");
  const ValueId x = b.input("x", DType::float32, dims(c.x));
  ValueId w = b.initializer("w", to_coppice(at::randn(c.weight)));
  if (c.turned) w = b.op("Transpose", {w}, {}, "turn");
  std::vector<ValueId> operands(c.operand + 1 < 2 ? 2 : c.operand + 1, x);
  operands[c.operand] = w;
  const bool spread = c.op == "Gemm" && c.operand == 0;  // along the outputs, which come first
  if (c.bias) {
    const std::int64_t outputs = c.op == "Conv" ? c.weight[0] : 6;
    operands.push_back(b.initializer("c", to_coppice(at::randn(spread ? Numbers{outputs, 1} : Numbers{outputs}))));
  }
  const ValueId y = b.op(c.op, operands, c.attributes, "layer");
  b.output(y, DType::float32, {});
  b.graph().values[static_cast<std::size_t>(y)].shape.reset();
  return GraphModule(std::move(b).finish());
}

at::Tensor product_of(const sparse::LayerView& layer, const at::Tensor& x, const at::Tensor& weight) {
  const at::Tensor matrices = layer.matrices(weight);
  std::vector<std::vector<at::Tensor>> parts(static_cast<std::size_t>(layer.groups()));
  layer.for_each_rows(x, [&](std::int64_t group, const at::Tensor& rows) {
    EXPECT_EQ(rows.size(1), layer.columns());
    parts[static_cast<std::size_t>(group)].push_back(rows.matmul(matrices[group].t()));
  });
  std::vector<at::Tensor> groups;
  for (const auto& part : parts) groups.push_back(at::cat(part));
  return at::cat(groups, 1);  // [places, outputs]
}

// Channels last, as the rows have them.
at::Tensor by_row(const Case& c, const at::Tensor& y) {
  if (c.op == "Conv") return y.flatten(2).transpose(1, 2).reshape({-1, y.size(1)});
  if (c.operand == 1) return y.reshape({-1, y.size(-1)});
  if (y.dim() == 1) return y.unsqueeze(0);
  return y.transpose(-1, -2).reshape({-1, y.size(-2)});
}

void expect_view(const Case& c) {
  at::manual_seed(1);
  GraphModule module = module_of(c);
  const graph::Model view = module.view();
  const std::vector<sparsity::Site> sites = sparsity::find_sites(view.graph);
  ASSERT_EQ(sites.size(), 1U);
  const auto obstacle = sparse::LayerView::obstacle(view, sites[0]);
  ASSERT_FALSE(obstacle) << *obstacle;
  const sparse::LayerView layer(view, sites[0]);
  EXPECT_EQ(layer.input(), "x");
  const at::Tensor weight = module.constants().at("w").detach(), x = at::randn(c.x);
  EXPECT_TRUE(layer.weight(layer.matrices(weight)).equal(weight));
  at::Tensor expected = product_of(layer, x, weight) * c.factor;
  if (c.bias) expected = expected + c.bias_factor * module.constants().at("c").detach().flatten();
  const at::Tensor got = by_row(c, module.run({x}).at(0).detach());
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_TRUE(at::allclose(got, expected, 1e-4, 1e-5)) << (got - expected).abs().max();
}

TEST(LayerView, OfMatMul) {
  expect_view({"MatMul", {5, 4}, {4, 6}});
  expect_view({"MatMul", {3, 5, 4}, {4, 6}});  // [B, T, C]
  expect_view({"MatMul", {2, 3, 5, 4}, {4, 6}});
  expect_view({"MatMul", {4}, {4, 6}});
  Case turned{"MatMul", {3, 5, 4}, {6, 4}};
  turned.turned = true;
  expect_view(turned);
}

TEST(LayerView, OfMatMulWithTheWeightBefore) {
  expect_view({"MatMul", {4, 5}, {6, 4}, {}, 0});
  expect_view({"MatMul", {3, 4, 5}, {6, 4}, {}, 0});  // [B, C, T]
  expect_view({"MatMul", {2, 3, 4, 5}, {6, 4}, {}, 0});
  expect_view({"MatMul", {4}, {6, 4}, {}, 0});
  Case turned{"MatMul", {3, 4, 5}, {4, 6}, {}, 0};
  turned.turned = true;
  expect_view(turned);
}

// Both operands either way round, and the weight as either; alpha and beta beside.
TEST(LayerView, OfGemm) {
  for (const std::size_t operand : {1U, 0U})
    for (const int a : {0, 1})
      for (const int b : {0, 1}) {
        SCOPED_TRACE("operand " + std::to_string(operand) + ", transA " + std::to_string(a) + ", transB " +
                     std::to_string(b));
        Case c{"Gemm", {}, {}, {attr("transA", a), attr("transB", b), attr("alpha", 0.5f), attr("beta", -2.0f)}};
        c.operand = operand;
        if (operand == 1) {
          c.x = a ? Numbers{4, 5} : Numbers{5, 4};
          c.weight = b ? Numbers{6, 4} : Numbers{4, 6};
        } else {
          c.weight = a ? Numbers{4, 6} : Numbers{6, 4};
          c.x = b ? Numbers{5, 4} : Numbers{4, 5};
        }
        c.bias = true;
        c.factor = 0.5;
        c.bias_factor = -2;
        expect_view(c);
        c.turned = true;
        std::swap(c.weight[0], c.weight[1]);
        expect_view(c);
      }
}

TEST(LayerView, OfConvolutionsThatPadThemselves) {
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"}) {
    SCOPED_TRACE(mode);
    const auto pad = attr("auto_pad", std::string(mode));
    expect_view({"Conv", {2, 4, 9, 8}, {6, 4, 3, 2}, {pad}});
    expect_view({"Conv", {2, 4, 9, 8}, {6, 4, 3, 2}, {pad, attr("strides", Numbers{2, 3})}});
    expect_view({"Conv", {2, 4, 9, 8}, {6, 4, 2, 3}, {pad, attr("dilations", Numbers{2, 1})}});
  }
}

TEST(LayerView, OfConvolutionsOfAnyForm) {
  const auto pads = [](Numbers numbers) { return attr("pads", std::move(numbers)); };
  const auto strides = attr("strides", Numbers{2, 1}), dilations = attr("dilations", Numbers{1, 3});
  // Groups, and depthwise with two outputs a channel; uneven padding, strides and dilations at once.
  expect_view({"Conv", {2, 6, 9, 8}, {4, 3, 3, 2}, {attr("group", 2), pads({1, 0, 2, 3}), strides, dilations}});
  expect_view({"Conv", {2, 6, 9, 8}, {12, 1, 3, 3}, {attr("group", 6), pads({1, 1, 1, 1})}});
  expect_view({"Conv", {2, 4, 11}, {6, 4, 3}, {attr("strides", Numbers{3}), pads({2, 0})}});
  expect_view({"Conv", {2, 4, 5, 6, 4}, {6, 2, 2, 3, 1}, {attr("group", 2), attr("dilations", Numbers{2, 1, 1})}});
  expect_view({"Conv", {2, 4, 9, 8}, {6, 4, 1, 1}});
  Case bias{"Conv", {2, 4, 9, 8}, {6, 4, 3, 2}, {pads({1, 0, 0, 1})}};
  bias.bias = true;
  expect_view(bias);
}

TEST(LayerView, SaysWhatItCannotShow) {
  const auto obstacle = [](const Case& c) {
    at::manual_seed(1);
    GraphModule module = module_of(c);
    const graph::Model view = module.view();
    return sparse::LayerView::obstacle(view, sparsity::find_sites(view.graph).at(0)).value_or("none");
  };
  EXPECT_EQ(obstacle({"ConvTranspose", {2, 4, 5, 5}, {4, 6, 3, 3}}), "ConvTranspose: its inputs cannot be told");
  EXPECT_EQ(obstacle({"MatMul", {3, 5, 4}, {3, 4, 6}}), "weights of a batch of products");
  Case conv{"Conv", {2, 4, 9, 8}, {2, 3, 4, 6}};
  conv.turned = true;
  EXPECT_EQ(obstacle(conv), "its weight is turned before it is used");
  // The method leaves such a layer alone, and says so.
  GraphModule module = module_of({"ConvTranspose", {2, 4, 5, 5}, {4, 6, 3, 3}});
  CalibratedOptions options;
  options.calibration.data = std::vector<Batch>{{{at::randn({2, 4, 5, 5})}, {}}};
  EXPECT_EQ(test::message([&] { sparsify_calibrated(module, options); }),
            "nothing to sparsify: all 1 layers stay dense; the first, layer: ConvTranspose: its inputs cannot be told");
}

}  // namespace
}  // namespace coppice
