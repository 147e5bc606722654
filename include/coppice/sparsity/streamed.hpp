#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::sparsity {

/// A tensor of a checkpoint.
struct NamedWeight {
  std::string name;
  tensor::Tensor tensor;  ///< May be streamed.
};

/// Sites of a checkpoint, which has no graph: tensors of two to five axes named "weight" or "....weight". Without a
/// graph names have to tell what a tensor is for, and axes are taken in PyTorch's order: outputs, inputs, kernel.
/// Embeddings (a name with "embed", wte, wpe, shared) and output heads of language models (lm_head, embed_out) have an
/// obstacle. `value` is the index among the weights.
std::vector<Site> find_sites(const std::vector<NamedWeight>& weights);

/// The choice of Sparsifier for tensors that need not fit into memory: nothing is kept of a layer that competes with
/// itself alone, and of single weights that compete by magnitude only what tensor::Smallest keeps. Where all layers
/// compete by anything else there is a mask, one bit a weight. The same zeros as Sparsifier's.
class StreamedSparsifier {
 public:
  /// Throws Error as Sparsifier does. A site that `layers` names takes part even if it has an obstacle by its name.
  StreamedSparsifier(std::vector<NamedWeight> weights, const SparsifyOptions& options);
  ~StreamedSparsifier();
  StreamedSparsifier(StreamedSparsifier&&) noexcept;

  bool takes_part(std::size_t weight) const;
  const std::vector<LeftDense>& left() const;
  /// Writes a weight that takes part to `out`, as long as its bytes and apart from them, with its zeros; says how many
  /// there were and are. Throws Error on NaN, naming the weight.
  ZeroCount zero(std::size_t weight, std::span<std::byte> out) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace coppice::sparsity
