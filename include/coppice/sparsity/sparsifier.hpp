#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/graph/model.hpp"
#include "coppice/importance/criterion.hpp"
#include "coppice/sparsity/granularity.hpp"
#include "coppice/sparsity/pattern.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/mask.hpp"

namespace coppice::sparsity {

/// What competes: the weights of each layer among themselves, or all.
enum class Context { local, global };

std::string_view to_string(Context context);
Context parse_context(std::string_view text);

struct SparsifyOptions {
  double sparsity = 0.5;  ///< Share of the weights to zero, in [0, 1]; a pattern N:M brings its own.
  Granularity granularity = Granularity::weight;
  Context context = Context::local;
  /// large_final, l2, small_final, random and lamp. Of units larger than a weight the mean of |w|, the root of the mean
  /// of w^2, and so on, so that units of different sizes compare.
  importance::Criterion criterion = importance::Criterion::large_final;
  /// Instead of a criterion, importance of each weight from elsewhere (gradients, activations...), by the constant's
  /// name: real numbers in its shape, small ones go first. Units larger than a weight have the mean of their sizes.
  /// When not empty, every layer that takes part must be here.
  std::map<std::string, tensor::Tensor, std::less<>> scores;
  Pattern pattern;
  /// Another sparsity for layers by name (see matches()); the last that matches holds. They compete with no other
  /// layer.
  std::vector<std::pair<std::string, double>> layers;
  std::vector<std::string> ignore;  ///< Layers to leave dense, by name.
  /// Leave the output layers dense. The strategies of ShrinkBench do; torch.nn.utils.prune as usually called does not.
  bool keep_classifier = false;
  std::uint64_t seed = 0;  ///< Of random.
};

/// A site and what of it stays.
struct LayerMask {
  Site site;
  tensor::Mask mask;
};

/// A site that stays as it is.
struct LeftDense {
  Site site;
  std::string reason;
};

struct ZeroCount {
  std::string name, layer;
  std::int64_t weights = 0, before = 0, after = 0;  ///< Elements, and how many of them are zero.
};

/// Chooses which weights of a model become zero, and keeps the choice as masks.
///
/// Exactly round(sparsity * n) of n weights go, in each layer or of all layers together (halves round up); of equal
/// ones those first in (layer, index) order. Units larger than a weight go in the order of their scores as long as that
/// brings the number of zeros nearer to this. The same bits for any number of threads.
/// Source: Han et al., Learning both Weights and Connections for Efficient Neural Networks, 2015.
class Sparsifier {
 public:
  /// Throws Error for a name that matches nothing, a criterion without scores for weights, a granularity that a layer
  /// has not, NaN where the criterion looks at the weights (naming the weight; lamp takes no infinity either), numbers
  /// out of range, and when no layer is left to sparsify, so that a pattern that fits nowhere is no silent success.
  Sparsifier(const graph::Model& model, const SparsifyOptions& options);
  /// With masks from elsewhere, such as an earlier run.
  explicit Sparsifier(std::vector<LayerMask> masks) : masks_(std::move(masks)) {}

  const std::vector<LayerMask>& masks() const { return masks_; }
  const std::vector<LeftDense>& left() const { return left_; }

  /// Makes the masks permanent: writes zeros into the model's weights, found by name. May be repeated, as after a step
  /// of training. Returns the exact counts. Throws Error for a weight that is missing or of another shape; the model is
  /// then unchanged.
  std::vector<ZeroCount> apply(graph::Model& model) const;
  /// The counts alone.
  std::vector<ZeroCount> count(const graph::Model& model) const;

 private:
  std::vector<LayerMask> masks_;
  std::vector<LeftDense> left_;
};

/// Masks that drop the zeros which these weights have, as after another tool zeroed them. Throws Error for a weight
/// that the model lacks, and NaN.
std::vector<LayerMask> masks_of_zeros(const graph::Model& model, const std::vector<std::string>& names);

}  // namespace coppice::sparsity
