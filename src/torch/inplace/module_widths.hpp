#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice::inplace {

/// Groups of convolutions and group norms, by the name of their weight ("layer1.0.conv1.weight").
using Groups = std::map<std::string, std::int64_t>;

Groups groups_of(torch::nn::Module& root);

/// Makes the options of every `torch::nn` layer below `root` (or `root` itself) tell the widths of its tensors:
/// in_channels and out_channels, in_features and out_features, num_features, normalized_shape, num_channels,
/// num_embeddings and embedding_dim, num_parameters, input_size, hidden_size and proj_size. The number of groups, which
/// the tensors do not tell, is taken from `groups` where it has the weight's name.
void fit_options(torch::nn::Module& root, const Groups& groups);

}  // namespace coppice::inplace
