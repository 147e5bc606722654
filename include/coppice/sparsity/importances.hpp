#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "coppice/tensor/mask.hpp"
#include "coppice/tensor/tensor.hpp"

/// What strategies of one's own are made of (ShrinkBench's helpers, by their names; Blalock et al., What is the State
/// of Neural Network Pruning?, 2020). Lists keep the order of the layers. A fraction is the share that stays.
namespace coppice::sparsity {

using Params = std::vector<std::pair<std::string, tensor::Tensor>>;
using Importances = std::vector<std::pair<std::string, std::vector<double>>>;
using Masks = std::vector<std::pair<std::string, tensor::Mask>>;

/// function(weight) for every weight of every parameter. Throws Error on a tensor that holds no numbers.
Importances map_importances(const std::function<double(double)>& function, const Params& params);
/// All of them, one after the other.
std::vector<double> flatten_importances(const Importances& importances);
/// The smallest of the largest, of which all but round((1 - fraction) * n) stay: what is below it goes. Infinity when
/// none stays. Throws Error on NaN or a fraction outside [0, 1].
double fraction_threshold(const std::vector<double>& importances, double fraction);
/// What is at least the threshold stays, so with equal importances more may stay than were asked for; fraction_mask and
/// Sparsifier keep exact counts.
Masks importance_masks(const Importances& importances, double threshold);
/// Exactly round((1 - fraction) * n) go, halves up, as of Sparsifier; of equal ones the last stay.
tensor::Mask fraction_mask(const std::vector<double>& importances, double fraction);

}  // namespace coppice::sparsity
