#include "coppice/zoo/zoo.hpp"

#include <array>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"

#include "families.hpp"

namespace coppice::zoo {
namespace {

struct Family {
  Entry entry;
  void (*write)(Net&, std::string_view);
};

constexpr Family families[] = {
    {{"resnet18", "ResNet-18, ImageNet classes", 11'689'512}, resnet},
    {{"resnet34", "ResNet-34", 21'797'672}, resnet},
    {{"resnet50", "ResNet-50, bottleneck blocks", 25'557'032}, resnet},
    {{"resnext50_32x4d", "ResNeXt-50, grouped convolutions", 25'028'904}, resnet},
    {{"wide_resnet50_2", "Wide ResNet-50-2", 68'883'240}, resnet},
    {{"resnet20", "ResNet-20 for CIFAR-10", 272'474}, small_resnet},
    {{"resnet56", "ResNet-56 for CIFAR-10", 855'770}, small_resnet},
    {{"fashion_resnet20", "ResNet-20 for Fashion-MNIST, stem of stride 2", 272'186}, small_resnet},
    {{"vgg11_bn", "VGG-11 with batch norm", 132'868'840}, vgg},
    {{"vgg16_bn", "VGG-16 with batch norm", 138'365'992}, vgg},
    {{"mobilenet_v2", "MobileNetV2, depthwise convolutions", 3'504'872}, mobilenet_v2},
    {{"densenet121", "DenseNet-121, dense concatenation", 7'978'856}, densenet},
    {{"efficientnet_b0", "EfficientNet-B0, squeeze and excite", 5'288'548}, efficientnet},
    {{"shufflenet_v2_x1_0", "ShuffleNetV2, channel split and shuffle", 2'278'604}, shufflenet_v2},
    {{"vit_b_16", "Vision Transformer B/16, fused q, k, v", 86'567'656}, vision_transformer},
    {{"unet", "U-Net, skip concatenation, transposed convolutions", 31'037'698}, unet},
    {{"unet_gn", "U-Net, narrow, group norm in parts", 1'942'594}, unet},
    {{"gpt2_small", "GPT-2 decoder, learned positions, tied head", 124'439'808}, gpt2},
    {{"gpt2_tiny", "GPT-2 decoder, 4 layers of 128", 937'728}, gpt2},
    {{"llama_tiny", "Llama decoder, rotary, grouped queries, SwiGLU, 4 layers of 256", 4'868'352}, llama},
    {{"llama_160m", "Llama decoder, 12 layers of 768", 162'417'408}, llama},
    {{"lstm_tagger", "Embedding, two bidirectional LSTM layers, a tag a word", 1'943'825}, lstm_tagger},
    {{"mlp", "Three linear layers, 784 to 10", 235'146}, mlp},
};

constexpr auto list = [] {
  std::array<Entry, std::size(families)> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = families[i].entry;
  return out;
}();

const Family& find(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Family& family : families) {
    if (family.entry.name == name) return family;
    names.push_back(family.entry.name);
  }
  throw Error("no architecture \"" + std::string(name) + "\"; nearest: " + base::nearest_list(name, names));
}

}  // namespace

std::span<const Entry> entries() {
  return list;
}

graph::Model build(std::string_view name, std::uint64_t seed, const Options& options) {
  const Family& family = find(name);
  if (options.image_side < 32 || options.image_side % 32 != 0 || options.image_side > 4096)
    throw Error("zoo: image side: expected a multiple of 32 up to 4096, found " + std::to_string(options.image_side));
  Net net{std::string(name), seed, options};
  family.write(net, name);
  return std::move(net.b).finish();
}

}  // namespace coppice::zoo
