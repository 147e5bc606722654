#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice::inplace {

/// Groups of convolutions, by the name of their weight ("layer1.0.conv1.weight").
using ConvGroups = std::map<std::string, std::int64_t>;

ConvGroups conv_groups(torch::nn::Module& root);

/// Makes the options of every `torch::nn` layer below `root` (or `root` itself) tell the widths of its tensors:
/// in_channels and out_channels, in_features and out_features, num_features, normalized_shape, num_channels,
/// num_embeddings and embedding_dim, num_parameters, input_size and hidden_size. The number of groups, which the
/// tensors do not tell, is taken from `groups` where it has the weight's name.
void fit_options(torch::nn::Module& root, const ConvGroups& groups);

/// One axis of a parameter that must keep its length, because the layer's own code counts on it.
struct FixedAxis {
  std::string parameter;
  std::int64_t axis;
};

/// MultiheadAttention computes the width of a head from the width of its input, so neither can change alone; the
/// layers and directions of a recurrent module share one hidden_size.
std::vector<FixedAxis> fixed_axes(torch::nn::Module& root);

}  // namespace coppice::inplace
