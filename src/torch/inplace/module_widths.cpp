#include "torch/inplace/module_widths.hpp"

#include <initializer_list>

#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

namespace coppice::inplace {
namespace {

namespace nn = torch::nn;

template <class Impl>
bool fit_conv(nn::Module& module, const std::string& path, const ConvGroups& groups, bool transposed) {
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

bool fit_norm(nn::Module& module) {
  if (auto* layer = dynamic_cast<nn::LayerNormImpl*>(&module)) {
    if (layer->weight.defined()) layer->options.normalized_shape(layer->weight.sizes().vec());
  } else if (auto* group = dynamic_cast<nn::GroupNormImpl*>(&module)) {
    if (group->weight.defined()) group->options.num_channels(group->weight.size(0));
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

template <class Impl>
bool fit_recurrent(nn::Module& module) {
  auto* recurrent = dynamic_cast<Impl*>(&module);
  if (!recurrent) return false;
  const auto parameters = recurrent->named_parameters(false);
  const at::Tensor input = parameters["weight_ih_l0"], hidden = parameters["weight_hh_l0"];
  recurrent->options.input_size(input.size(1));
  recurrent->options_base.input_size(input.size(1));
  // With a projection that axis is the projection's; such modules keep their width, see fixed_axes().
  if (recurrent->options_base.proj_size() > 0) return true;
  recurrent->options.hidden_size(hidden.size(1));
  recurrent->options_base.hidden_size(hidden.size(1));
  return true;
}

// Calls back with every module below the root, and the prefix of its parameters' names.
template <class Function>
void visit(nn::Module& root, Function function) {
  function(root, std::string());
  for (const auto& item : root.named_modules("", false)) function(*item.value(), item.key() + ".");
}

template <class Impl>
void note_groups(nn::Module& module, const std::string& path, ConvGroups& out) {
  if (auto* conv = dynamic_cast<Impl*>(&module)) out[path + "weight"] = conv->options.groups();
}

template <class Impl>
bool stacked(nn::Module& module) {
  auto* recurrent = dynamic_cast<Impl*>(&module);
  return recurrent && (recurrent->options.num_layers() > 1 || recurrent->options.bidirectional() ||
                       recurrent->options_base.proj_size() > 0);
}

}  // namespace

ConvGroups conv_groups(nn::Module& root) {
  ConvGroups out;
  visit(root, [&](nn::Module& module, const std::string& path) {
    note_groups<nn::Conv1dImpl>(module, path, out);
    note_groups<nn::Conv2dImpl>(module, path, out);
    note_groups<nn::Conv3dImpl>(module, path, out);
    note_groups<nn::ConvTranspose1dImpl>(module, path, out);
    note_groups<nn::ConvTranspose2dImpl>(module, path, out);
    note_groups<nn::ConvTranspose3dImpl>(module, path, out);
  });
  return out;
}

void fit_options(nn::Module& root, const ConvGroups& groups) {
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
           fit_norm(module) || fit_lookup(module) || fit_recurrent<nn::LSTMImpl>(module) ||
           fit_recurrent<nn::GRUImpl>(module) || fit_recurrent<nn::RNNImpl>(module));
  });
}

std::vector<FixedAxis> fixed_axes(nn::Module& root) {
  std::vector<FixedAxis> out;
  visit(root, [&](nn::Module& module, const std::string& path) {
    if (dynamic_cast<nn::MultiheadAttentionImpl*>(&module)) {
      for (const auto& item : module.named_parameters())
        for (std::int64_t axis = 0; axis < item.value().dim(); ++axis) out.push_back({path + item.key(), axis});
    }
    if (stacked<nn::LSTMImpl>(module) || stacked<nn::GRUImpl>(module) || stacked<nn::RNNImpl>(module)) {
      for (const auto& item : module.named_parameters(false)) out.push_back({path + item.key(), 0});
    }
  });
  return out;
}

}  // namespace coppice::inplace
