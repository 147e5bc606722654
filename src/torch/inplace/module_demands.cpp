#include "torch/inplace/module_demands.hpp"

#include <set>
#include <string>
#include <string_view>

#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

#include "torch/inplace/grouped_norms.hpp"

namespace coppice::inplace {
namespace {

namespace nn = torch::nn;

using Named = std::vector<coupling::NamedAxis>;

template <class Impl>
bool is(const nn::Module& module) {
  return dynamic_cast<const Impl*>(&module) != nullptr;
}

void fix_attention(nn::Module& module, const std::string& path, coupling::Demands& out) {
  for (const auto& item : module.named_parameters())
    for (std::int64_t axis = 0; axis < item.value().dim(); ++axis)
      out.fixed.push_back({path + item.key(), static_cast<std::int32_t>(axis)});
}

void tie_recurrent(nn::Module& module, const std::string& path, coupling::Demands& out) {
  Named columns, projected;  // of weight_hh: what a layer hands to itself; of weight_hr: what it is projected from
  for (const auto& item : module.named_parameters(false)) {
    const std::string_view name = item.key();
    if (name.starts_with("weight_hh")) columns.push_back({path + item.key(), 1});
    if (name.starts_with("weight_hr")) projected.push_back({path + item.key(), 1});
  }
  out.tied.push_back(std::move(columns));
  out.tied.push_back(std::move(projected));
}

// A cell that starts from zeros does not show that what it hands on is what it would read.
void tie_cell(const std::string& path, coupling::Demands& out) {
  out.tied.push_back({{path + "weight_hh", 1},
                      {path + "weight_hh", 0},
                      {path + "weight_ih", 0},
                      {path + "bias_hh", 0},
                      {path + "bias_ih", 0}});
}

}  // namespace

coupling::Demands module_demands(nn::Module& root, const graph::Graph& graph) {
  coupling::Demands out;
  std::set<std::string, std::less<>> exchangeable, norms;
  const auto look = [&](nn::Module& module, const std::string& path) {
    if (is<nn::MultiheadAttentionImpl>(module)) fix_attention(module, path, out);
    if (is<nn::LSTMImpl>(module) || is<nn::GRUImpl>(module) || is<nn::RNNImpl>(module))
      tie_recurrent(module, path, out);
    if (is<nn::LSTMCellImpl>(module) || is<nn::GRUCellImpl>(module) || is<nn::RNNCellImpl>(module)) tie_cell(path, out);
    if (is<nn::GroupNormImpl>(module)) norms.insert(path + "weight");
  };
  look(root, "");
  for (const auto& item : root.named_modules("", false)) look(*item.value(), item.key() + ".");
  for (const auto& item : root.named_parameters()) exchangeable.insert(item.key());
  for (const auto& item : root.named_buffers()) exchangeable.insert(item.key());
  for (const GroupedNorm& norm : grouped_norms(graph))
    if (norms.contains(norm.weight)) exchangeable.insert(norm.constants.begin(), norm.constants.end());
  for (const graph::Initializer& initializer : graph.initializers) {
    const std::string_view name = graph.name_of(initializer.value);
    if (exchangeable.contains(name)) continue;
    for (std::size_t k = 0; k < initializer.tensor.shape.size(); ++k)
      out.fixed.push_back({std::string(name), static_cast<std::int32_t>(k)});
  }
  return out;
}

}  // namespace coppice::inplace
