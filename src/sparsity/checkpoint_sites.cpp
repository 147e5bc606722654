#include <algorithm>
#include <array>
#include <string_view>

#include "coppice/sparsity/streamed.hpp"

namespace coppice::sparsity {
namespace {

// The last part of a dotted name.
std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

std::string obstacle(const Site& site, const tensor::Tensor& tensor) {
  if (!tensor::is_real(tensor.dtype)) {
    return tensor.dtype == tensor::DType::undefined ? "weights of another type"
                                                    : std::string(tensor::name(tensor.dtype)) + " weights";
  }
  const std::string_view layer = site.layer, part = last_part(layer);
  constexpr std::array<std::string_view, 2> heads{"lm_head", "embed_out"};
  constexpr std::array<std::string_view, 3> embeddings{"wte", "wpe", "shared"};
  if (std::find(heads.begin(), heads.end(), part) != heads.end()) return "an output head, by its name";
  if (part.find("embed") != part.npos || std::find(embeddings.begin(), embeddings.end(), part) != embeddings.end())
    return "an embedding, by its name";
  return {};
}

}  // namespace

std::vector<Site> find_sites(const std::vector<NamedWeight>& weights) {
  std::vector<Site> out;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto& [name, tensor] = weights[i];
    if (last_part(name) != "weight" || tensor.shape.size() < 2 || tensor.shape.size() > 5) continue;
    if (tensor.elements() == 0) continue;
    Site site;
    site.name = name;
    site.layer = name == "weight" ? name : name.substr(0, name.size() - std::string_view(".weight").size());
    site.value = static_cast<graph::ValueId>(i);
    site.shape = tensor.shape;
    site.output_axis = 0;
    site.input_axis = 1;
    for (std::size_t axis = 2; axis < tensor.shape.size(); ++axis) site.kernel_axes.push_back(axis);
    site.obstacle = obstacle(site, tensor);
    site.output_layer = site.obstacle.starts_with("an output");
    out.push_back(std::move(site));
  }
  return out;
}

}  // namespace coppice::sparsity
