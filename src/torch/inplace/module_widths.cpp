#include "torch/inplace/module_widths.hpp"

#include <initializer_list>
#include <type_traits>

#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

namespace coppice::inplace {
namespace {

namespace nn = torch::nn;

template <class Impl>
bool fit_conv(nn::Module& module, const std::string& path, const Groups& groups, bool transposed) {
  auto* conv = dynamic_cast<Impl*>(&module);
  if (!conv) return false;
  if (const auto it = groups.find(path + "weight"); it != groups.end()) conv->options.groups(it->second);
  const std::int64_t first = conv->weight.size(0), second = conv->weight.size(1) * conv->options.groups();
  conv->options.in_channels(transposed ? first : second).out_channels(transposed ? second : first);
  return true;
}

template <class Impl>
bool fit_features(nn::Module& module) {
  auto* norm = dynamic_cast<Impl*>(&module);
  if (!norm) return false;
  for (const at::Tensor& tensor : {norm->weight, norm->running_mean})
    if (tensor.defined()) norm->options.num_features(tensor.size(0));
  return true;
}

bool fit_linear(nn::Module& module) {
  if (auto* linear = dynamic_cast<nn::LinearImpl*>(&module)) {
    linear->options.out_features(linear->weight.size(0)).in_features(linear->weight.size(1));
  } else if (auto* bilinear = dynamic_cast<nn::BilinearImpl*>(&module)) {
    bilinear->options.out_features(bilinear->weight.size(0))
        .in1_features(bilinear->weight.size(1))
        .in2_features(bilinear->weight.size(2));
  } else {
    return false;
  }
  return true;
}

bool fit_norm(nn::Module& module, const std::string& path, const Groups& groups) {
  if (auto* layer = dynamic_cast<nn::LayerNormImpl*>(&module)) {
    if (layer->weight.defined()) layer->options.normalized_shape(layer->weight.sizes().vec());
  } else if (auto* group = dynamic_cast<nn::GroupNormImpl*>(&module)) {
    if (group->weight.defined()) group->options.num_channels(group->weight.size(0));
    if (const auto it = groups.find(path + "weight"); it != groups.end()) group->options.num_groups(it->second);
  } else {
    return false;
  }
  return true;
}

bool fit_lookup(nn::Module& module) {
  if (auto* embedding = dynamic_cast<nn::EmbeddingImpl*>(&module)) {
    embedding->options.num_embeddings(embedding->weight.size(0)).embedding_dim(embedding->weight.size(1));
  } else if (auto* bag = dynamic_cast<nn::EmbeddingBagImpl*>(&module)) {
    bag->options.num_embeddings(bag->weight.size(0)).embedding_dim(bag->weight.size(1));
  } else if (auto* prelu = dynamic_cast<nn::PReLUImpl*>(&module)) {
    prelu->options.num_parameters(prelu->weight.size(0));
  } else {
    return false;
  }
  return true;
}

template <class Options>
void fit_recurrent_options(Options& options, std::int64_t inputs, std::int64_t hidden) {
  options.input_size(inputs).hidden_size(hidden);
}

template <class Impl>
bool fit_cell(nn::Module& module) {
  auto* cell = dynamic_cast<Impl*>(&module);
  if (!cell) return false;
  fit_recurrent_options(cell->options, cell->weight_ih.size(1), cell->weight_hh.size(1));
  fit_recurrent_options(cell->options_base, cell->weight_ih.size(1), cell->weight_hh.size(1));
  return true;
}

template <class Impl>
bool fit_recurrent(nn::Module& module) {
  auto* recurrent = dynamic_cast<Impl*>(&module);
  if (!recurrent) return false;
  const auto parameters = recurrent->named_parameters(false);
  const at::Tensor input = parameters["weight_ih_l0"], hidden = parameters["weight_hh_l0"];
  const bool projects = recurrent->options_base.proj_size() > 0;  // then weight_hh reads the projection
  const std::int64_t width = projects ? parameters["weight_hr_l0"].size(1) : hidden.size(1);
  fit_recurrent_options(recurrent->options_base, input.size(1), width);
  fit_recurrent_options(recurrent->options, input.size(1), width);
  if (!projects) return true;
  recurrent->options_base.proj_size(hidden.size(1));
  if constexpr (std::is_same_v<Impl, nn::LSTMImpl>) recurrent->options.proj_size(hidden.size(1));
  return true;
}

// Calls back with every module below the root, and the prefix of its parameters' names.
template <class Function>
void visit(nn::Module& root, Function function) {
  function(root, std::string());
  for (const auto& item : root.named_modules("", false)) function(*item.value(), item.key() + ".");
}

template <class Impl>
void note_groups(nn::Module& module, const std::string& path, Groups& out) {
  if (auto* conv = dynamic_cast<Impl*>(&module)) out[path + "weight"] = conv->options.groups();
}

}  // namespace

Groups groups_of(nn::Module& root) {
  Groups out;
  visit(root, [&](nn::Module& module, const std::string& path) {
    note_groups<nn::Conv1dImpl>(module, path, out);
    note_groups<nn::Conv2dImpl>(module, path, out);
    note_groups<nn::Conv3dImpl>(module, path, out);
    note_groups<nn::ConvTranspose1dImpl>(module, path, out);
    note_groups<nn::ConvTranspose2dImpl>(module, path, out);
    note_groups<nn::ConvTranspose3dImpl>(module, path, out);
    if (auto* norm = dynamic_cast<nn::GroupNormImpl*>(&module)) out[path + "weight"] = norm->options.num_groups();
  });
  return out;
}

void fit_options(nn::Module& root, const Groups& groups) {
  visit(root, [&](nn::Module& module, const std::string& path) {
    (void)(fit_conv<nn::Conv1dImpl>(module, path, groups, false) ||
           fit_conv<nn::Conv2dImpl>(module, path, groups, false) ||
           fit_conv<nn::Conv3dImpl>(module, path, groups, false) ||
           fit_conv<nn::ConvTranspose1dImpl>(module, path, groups, true) ||
           fit_conv<nn::ConvTranspose2dImpl>(module, path, groups, true) ||
           fit_conv<nn::ConvTranspose3dImpl>(module, path, groups, true) || fit_linear(module) ||
           fit_features<nn::BatchNorm1dImpl>(module) || fit_features<nn::BatchNorm2dImpl>(module) ||
           fit_features<nn::BatchNorm3dImpl>(module) || fit_features<nn::InstanceNorm1dImpl>(module) ||
           fit_features<nn::InstanceNorm2dImpl>(module) || fit_features<nn::InstanceNorm3dImpl>(module) ||
           fit_norm(module, path, groups) || fit_lookup(module) || fit_recurrent<nn::LSTMImpl>(module) ||
           fit_recurrent<nn::GRUImpl>(module) || fit_recurrent<nn::RNNImpl>(module) ||
           fit_cell<nn::LSTMCellImpl>(module) || fit_cell<nn::GRUCellImpl>(module) ||
           fit_cell<nn::RNNCellImpl>(module));
  });
}

}  // namespace coppice::inplace
